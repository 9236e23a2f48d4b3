/* What a hart does when it takes a trap to S mode. */
#ifndef BAONET_RISCV_TRAP_H
#define BAONET_RISCV_TRAP_H

#include "core.h"

/* With the PC at the instruction. */
void trap_enter(struct core *core, uint64_t cause, uint64_t tval, bool interrupt);

#endif
