/* Cache blocks (Zicbom, Zicboz), of 64 bytes. */
#ifndef BAONET_RISCV_CBO_H
#define BAONET_RISCV_CBO_H

#include "core.h"

void cbo(struct core *core, unsigned operation, uint64_t address, uintptr_t from);

#endif
