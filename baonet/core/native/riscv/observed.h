/* What instructions do to memory, for its model: what their code does, and what is done for them here. */
#ifndef BAONET_RISCV_OBSERVED_H
#define BAONET_RISCV_OBSERVED_H

#include "core.h"
#include "memsys.h"

/* While a block is translated: behind an access (a MemOp), to what a temporary has (its handle). */
void observed_access(void *tcg, void *address, uint32_t memop, enum memsys_kind kind);

/* What one of the cache-block operations (CBO_INVAL ...) has done to the block at an address. */
void observed_block(struct core *core, unsigned operation, uint64_t va);

/* SFENCE.VMA, by its registers' numbers. */
void observed_fence(struct core *core, unsigned address, unsigned asid);

#endif
