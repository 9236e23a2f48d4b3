/* How long who waits spins before it sleeps. */
#ifndef BAONET_PATIENCE_H
#define BAONET_PATIENCE_H

#include <stdint.h>

#define SHORT_PATIENCE 2000u /* nanoseconds of the host */
#define LONG_PATIENCE 200000u

/*
 * As long as that pays: twice as long as it has lately had to wait, and not where that was long, as it is where there are fewer
 * cores than threads.
 */
static inline void patience_learn(uint64_t *patience, uint64_t waited) {
    uint64_t less = *patience - *patience / 8, found = waited >= LONG_PATIENCE ? *patience / 2 : 2 * waited > less ? 2 * waited : less;
    *patience = found > SHORT_PATIENCE ? found : SHORT_PATIENCE;
}

#endif
