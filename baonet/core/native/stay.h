/* One stay of a core for the rounds, and several at the same time. */
#ifndef BAONET_STAY_H
#define BAONET_STAY_H

#include "core.h"

struct stay {
    struct core *core;
    struct order order;
    struct outcome outcome;
};

void stay_run(struct stay *stay);

/* All of them, by this thread and up to `threads` - 1 others of the process. */
void stays_run(struct stay *stays, unsigned count, unsigned threads);

#endif
