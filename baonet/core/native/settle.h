/* The start of a block. */
#ifndef BAONET_SETTLE_H
#define BAONET_SETTLE_H

#include "core.h"

/* At the start of a block whose `instructions` are already taken from the budget. */
void core_settle(struct core *core, unsigned instructions);

/* Under the host's clock: the next stretch between two looks at it. */
void settle_refill(struct core *core);

#endif
