/* The interrupt files of the VM's harts, as their guests write to them. */
#ifndef BAONET_RISCV_IMSIC_H
#define BAONET_RISCV_IMSIC_H

#include "core.h"

/* An access to data at the instruction whose host code returns to `from`. Returns if the address is of no file. */
void imsic_access(struct core *core, uint64_t va, uint64_t ipa, uintptr_t from);

#endif
