/*
 * Code that tells the memory system's model (modelled.h) what the guest's does. It is emitted for a core that has a model, and
 * for no other.
 */
#ifndef BAONET_OBSERVE_H
#define BAONET_OBSERVE_H

#include "core.h"
#include "memsys.h"

/*
 * Around a block's translation; and at its start: its code is fetched, unless it is known to be where it was (TranslationBlock).
 */
void observe_begin(void);
void observe_block(void *tcg, void *block);
void observe_block_end(const void *block);

/*
 * Behind an access of `size` bytes, at the address that a temporary has (its handle). There, since what was refused or has faulted
 * has not happened; and with nothing between the two that begins a basic block, since the temporary would not outlive it.
 */
void observe_access(void *tcg, void *address, unsigned size, enum memsys_kind kind);

/* Before an instruction that may make several accesses, each of which is told: what modelled_refused() is to take back. */
void observe_several(void *tcg, uint64_t pc);

#endif
