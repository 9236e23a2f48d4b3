/* Accesses that Bao is told of: the guest is left at the instruction. */
#ifndef BAONET_RISCV_FAULTS_H
#define BAONET_RISCV_FAULTS_H

#include "core.h"

/*
 * With the guest's state at the instruction: what the exit is to say. `access`: MMU_DATA_LOAD ...; `implicit`: it is of a walk of the
 * guest's tables.
 */
void fault_describe_guest_page(struct core *core, uint64_t va, uint64_t ipa, int access, bool implicit);

/* Leaves at the instruction whose host code returns to `from`; 0: at that which the guest's state is at. Does not return. */
void fault_access(struct core *core, uint64_t va, int access, uintptr_t from);

#endif
