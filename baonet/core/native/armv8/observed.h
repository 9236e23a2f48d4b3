/* Which accesses the code of A64, A32 and T32 instructions makes, for the model of the memory system. */
#ifndef BAONET_ARMV8_OBSERVED_H
#define BAONET_ARMV8_OBSERVED_H

#include "core.h"
#include "memsys.h"

/* While a block is translated: its flags, then each instruction of A64 with its address, or of A32 or T32, which may make several accesses. */
void observed_block(uint32_t flags);
void observed_instruction(uint64_t pc, uint32_t word);
void observed_instruction32(uint64_t pc, bool several);

/* Behind each of its accesses (a MemOp), to what a temporary has (its handle). */
void observed_access(void *tcg, void *address, uint32_t memop, enum memsys_kind kind);

/* Behind a compare-and-exchange: an atomic operation, or a store exclusive. */
void observed_exchange(void *tcg, void *address, uint32_t memop);

#endif
