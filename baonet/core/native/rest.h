/* The guest left in the midst of a block, and the rest of that block. */
#ifndef BAONET_REST_H
#define BAONET_REST_H

#include "core.h"

/*
 * Leaves the guest at the instruction whose host code returns to `from`, as if it had not been begun, but for what arch_refused()
 * keeps of it; 0: where a block is to be found. Does not return.
 */
void rest_leave(struct core *core, uintptr_t from);

/* Before the library is entered. */
void rest_enter(struct core *core);

/* Whether the rest of a block comes next, before which no interrupt is taken. */
bool rest_comes(const struct core *core);

/* Whether it is what runs. */
bool rest_runs(const struct core *core);

/* At the start of a block: whether it is the rest of one, which nothing may stop. */
bool rest_begins(struct core *core);

/* The library has been left. */
void rest_end(struct core *core);

#endif
