/* What memory has taken, as records of the trace: how many lines were missed since the last, and for how long that stalled. */
#ifndef BAONET_SAMPLE_H
#define BAONET_SAMPLE_H

#include "core.h"

/* When a window begins; nothing if the last are not long ago, or there is nothing to tell. */
void sample_memory(struct core *core);

#endif
