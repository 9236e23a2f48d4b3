/* Stores of several accesses, of which some were done before a page was refused to another. */
#ifndef BAONET_PARTIAL_H
#define BAONET_PARTIAL_H

#include "core.h"

/* A load or a store takes the slow path; `from`: the host's PC at the access. */
void partial_note(struct core *core, uint64_t va, bool store, uintptr_t from);

/* While the rest of a block runs: whether a store of it was done when the guest was left in the midst of it. */
bool partial_is_done(struct core *core, uint64_t va, unsigned size, uintptr_t from);

#endif
