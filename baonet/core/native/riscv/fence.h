/* Fences that reach other harts, as SBI has them: the hypervisor asks, in the name of the guest. */
#ifndef BAONET_RISCV_FENCE_H
#define BAONET_RISCV_FENCE_H

#include "core.h"

enum fence { FENCE_CODE, FENCE_VMA, FENCE_VMA_ASID }; /* baonet.hyp.riscv.cpu */

struct fenced {
    enum fence what;
    uint64_t start, size; /* of FENCE_VMA and FENCE_VMA_ASID: both 0, or a size of all ones: everything */
    uint16_t asid;
};

/* Of all harts of the VM, of which this one stands. Returns when they have done it, or do it before they go on. */
void fence_remote(struct core *core, const struct fenced *fenced);

/* Of one of them, by its pcpu, for the model of its memory system: others lose nothing there. */
void fence_model(struct core *core, unsigned pcpu, const struct fenced *fenced);

#endif
