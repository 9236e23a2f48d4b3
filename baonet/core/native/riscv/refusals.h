/* Instructions that the guest may not have. */
#ifndef BAONET_RISCV_REFUSALS_H
#define BAONET_RISCV_REFUSALS_H

#include "core.h"

/* Which exception it is: an illegal instruction, or a virtual one. */
uint64_t refusal(const struct core *core, uint32_t instruction);

#endif
