/* Guest-physical memory. */
#ifndef BAONET_RISCV_MEMORY_H
#define BAONET_RISCV_MEMORY_H

#include "core.h"

/*
 * The guest is left with an exception that Bao does not delegate, at the instruction whose host code returns to `from`; 0: at that
 * which the guest's state is at. Do not return.
 */
void memory_guest_fault(struct core *core, uint64_t va, uint64_t ipa, int access, bool implicit, uintptr_t from);
EXPORT bool riscv_cpu_tlb_fill_riscv64(void *cpu, uint64_t va, int size, int access, int mmu_index, bool probe, uintptr_t from);
void memory_access_fault(struct core *core, uint64_t va, int access, uintptr_t from);

#endif
