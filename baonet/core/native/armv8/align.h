/* Alignment of accesses: what the code, the stack pointer and Device memory ask for. */
#ifndef BAONET_ARMV8_ALIGN_H
#define BAONET_ARMV8_ALIGN_H

#include "armv8/encoding32.h"
#include "core.h"

/* While a block is translated: its flags, then each instruction, then each access (a MemOp) of that. */
void align_block(uint32_t flags_of_block);
void align_instruction(uint32_t word);
void align_instruction32(struct encoding32 of_instruction);
uint32_t align_access(uint32_t memop);

/* Whether the access that comes is the first of an instruction that loses its base by it. */
bool align_loses_base(void);

/* On the slow path, of a load or store that returns to `from`: does not return if it is misaligned on Device memory. */
void align_check(struct core *core, uint64_t va, unsigned size, int access, int mmu_index, uintptr_t from);

/* A page that is mapped as Device; data accesses that are Device, which with stage 1 off are all. */
bool align_maps_device(struct core *core, uint32_t memory_type);
bool align_is_device(struct core *core, uint32_t memory_type);

/* The alignment fault itself; interposed. Does not return. */
void arm_cpu_do_unaligned_access_aarch64(void *cpu, uint64_t va, int access, int mmu_index, uintptr_t from);

#endif
