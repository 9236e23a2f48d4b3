/* Guest-physical memory. */
#ifndef BAONET_RISCV_MEMORY_H
#define BAONET_RISCV_MEMORY_H

#include "core.h"

/* As the library asks where its TLB has no entry; interposed. `access`: MMU_DATA_LOAD ... */
bool riscv_cpu_tlb_fill_riscv64(void *cpu, uint64_t va, int size, int access, int mmu_index, bool probe, uintptr_t from);

#endif
