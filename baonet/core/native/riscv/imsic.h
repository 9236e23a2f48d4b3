/* The interrupt files of the VM's harts, as their guests write to them. */
#ifndef BAONET_RISCV_IMSIC_H
#define BAONET_RISCV_IMSIC_H

#include "core.h"

/* Returns if the address is of no file. `from` as of memory_guest_fault(). */
void imsic_access(struct core *core, uint64_t va, uint64_t ipa, uintptr_t from);

#endif
