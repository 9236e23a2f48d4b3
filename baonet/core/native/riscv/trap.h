/* What a hart does when it takes a trap. */
#ifndef BAONET_RISCV_TRAP_H
#define BAONET_RISCV_TRAP_H

#include "riscv/registers.h"

/* To S mode, with the PC at the instruction. */
void trap_enter(struct core *core, uint64_t cause, uint64_t tval, bool interrupt);

/* That of a load-reserved: whoever takes a trap stores in between. */
static inline void trap_drop_reservation(struct core *core) { ENV64(core, ENV_LOAD_RES) = UINT64_MAX; }

#endif
