/* The GIC virtual CPU interface: what the guest does with it. */
#ifndef BAONET_ARMV8_INTERFACE_H
#define BAONET_ARMV8_INTERFACE_H

#include "core.h"

/* Drives the CPU's interrupt inputs from ICH_*, and notes a maintenance interrupt. */
void interface_update(struct core *core);

/* ICC_* by their SYSREG. False: not a register of this interface. */
uint64_t interface_read(struct core *core, uint32_t reg);
bool interface_write(struct core *core, uint32_t reg, uint64_t value);

/* The GICV frame, as callbacks of the library. */
uint64_t gicv_read(void *uc, uint64_t offset, unsigned size, void *core);
void gicv_write(void *uc, uint64_t offset, unsigned size, uint64_t value, void *core);

#endif
