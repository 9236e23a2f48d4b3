/* Of the benchmarks: `bench NAME: COUNT UNIT NANOSECONDS ns`, one line each, for programs. Who includes it says how long one is. */
#ifndef RATE_H
#define RATE_H

#include "guest.h"

static void report(const char *what, uint64_t count, const char *unit, uint64_t elapsed) {
    print_line("bench %s: %u %s %u ns", what, count, unit, nanoseconds(elapsed));
}

/* How often `once` can be done: as many thousands as fit into RATE_TICKS. */
#define RATE(what, unit, once)                              \
    do {                                                    \
        uint64_t limit = RATE_TICKS, count = 0;             \
        uint64_t start = ticks(), elapsed;                  \
        do {                                                \
            for (unsigned i = 0; i < 1000; i++) once;       \
            count += 1000;                                  \
            elapsed = ticks() - start;                      \
        } while (elapsed < limit);                          \
        report(what, count, unit, elapsed);                 \
    } while (0)

#endif
