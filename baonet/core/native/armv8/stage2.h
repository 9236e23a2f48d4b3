/* Stage-2 aborts. */
#ifndef BAONET_ARMV8_STAGE2_H
#define BAONET_ARMV8_STAGE2_H

#include "core.h"

/* Where the guest's own walk could not load a descriptor. `more`: what else the syndrome has. Does not return. */
void stage2_abort_on_walk(struct core *core, uint64_t va, int access, uint32_t more, uintptr_t from);

#endif
