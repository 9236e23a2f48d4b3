/* Fences that reach other harts, as SBI has them: the hypervisor asks, in the name of the guest. */
#ifndef BAONET_RISCV_FENCE_H
#define BAONET_RISCV_FENCE_H

#include "core.h"

enum fence { FENCE_CODE, FENCE_VMA, FENCE_VMA_ASID }; /* baonet.hyp.riscv.cpu */

/* Of all harts of the VM, of which this one stands. Returns when they have done it, or do it before they go on. */
void fence_remote(struct core *core, enum fence what, uint64_t start, uint64_t size);

#endif
