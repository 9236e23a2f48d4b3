/* The start of a block. */
#ifndef BAONET_SETTLE_H
#define BAONET_SETTLE_H

#include "core.h"

/* With the block's instructions already taken from the budget; `from`: where its call of this returns. */
void core_settle(struct core *core, uintptr_t from);

/* Under the host's clock: the next stretch between two looks at it. */
void settle_refill(struct core *core);

#endif
