/* Entering the guest. */
#ifndef BAONET_RUN_H
#define BAONET_RUN_H

#include "core.h"

/* One stay: of at most `budget` instructions, or until the clock shows `limit`. EXIT_ERROR: with a Python error. */
int core_run(struct core *core, int64_t budget);
int core_run_until(struct core *core, uint64_t limit);

#endif
