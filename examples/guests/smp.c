/*
 * Atomicity: all vCPUs (1 to 8) change the same memory by each of the architecture's means, and no change may be lost.
 * `expected` and `got` are equal on a correct machine.
 */
#include "barrier.h"
#include "guest.h"

#define ROUNDS 200000
#define PETERSON_ROUNDS 50000

static unsigned cpus;
static uint32_t started;

static struct {
    _Alignas(64) uint32_t wants[2];
    uint32_t turn;
} peterson_lock;

#include "smp.h"

/* Peterson's algorithm on vCPUs 0 and 1: right only if a load never passes an earlier store. */
static void add_peterson(unsigned cpu) {
    if (cpu > 1) return;
    for (unsigned i = 0; i < PETERSON_ROUNDS; i++) {
        STORE(&peterson_lock.wants[cpu], 1);
        STORE(&peterson_lock.turn, 1 - cpu);
        stores_before_loads();
        if (cpus > 1)
            while (LOAD(&peterson_lock.wants[1 - cpu]) && LOAD(&peterson_lock.turn) == 1 - cpu) {}
        volatile uint64_t *counter = &peterson.value;
        *counter = *counter + 1;
        STORE(&peterson_lock.wants[cpu], 0);
    }
}

static uint64_t begin, ended;

#define PHASE(work)                                           \
    do {                                                      \
        barrier(cpus);                                        \
        if (cpu == 0) begin = ticks();                        \
        work;                                                 \
        barrier(cpus);                                        \
        if (cpu == 0) ended = nanoseconds(ticks() - begin);   \
    } while (0)

static unsigned failures;
static void report(const char *what, uint64_t expected, uint64_t got) {
    if (expected != got) failures++;
    print_line("smp: %s: expected %d, got %d, %s, %u ns", what, expected, got, expected == got ? "ok" : "WRONG", ended);
}

static uint64_t sum(const uint64_t *of) {
    uint64_t total = 0;
    for (unsigned i = 0; i < cpus; i++) total += of[i];
    return total;
}

static void work(unsigned cpu) {
    const uint64_t all = (uint64_t)cpus * ROUNDS, tokens = (uint64_t)cpus * ROUNDS * (ROUNDS + 1ull) / 2;
    EXCLUSIVES(cpu, all, tokens);
    if (cpu == 0) report("spinlock", all, locked.value);
    PHASE(add_peterson(cpu));
    if (cpu == 0) report(PETERSON, (uint64_t)(cpus > 1 ? 2 : 1) * PETERSON_ROUNDS, peterson.value);
    ATOMICS(cpu, all, tokens);
}

void guest_secondary(unsigned cpu) {
    while (!LOAD(&started)) yield();
    work(cpu);
    cpu_off();
}

void guest_main(void) {
    prepare();
    cpus = start_secondaries(MAX_CPUS);
    tell(cpus);
    STORE(&started, 1);
    work(0);
    print_line("smp: %s", failures ? "FAILED" : "all exact");
    power_off("smp");
}
