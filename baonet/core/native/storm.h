/* Exceptions that the guest takes itself, and when they are a storm. */
#ifndef BAONET_STORM_H
#define BAONET_STORM_H

#include "core.h"

/*
 * After the library has delivered one to the guest. `call`: by an instruction that asks for it; `again`: it is the last one
 * once more, at the same place.
 */
void storm_exception(struct core *core, bool call, bool again);

/* An interrupt. */
void storm_interrupt(struct core *core);

/* What was taken in the last spell and the instructions between, once in a life of the guest. */
bool storm_tell(struct core *core, uint64_t *taken, uint64_t *instructions, bool *interrupts);

/* Whether there is something for that. */
static inline bool storm_is_untold(const struct core *core) { return core->state.storm_seen && !core->state.storm_told; }

/* The guest starts anew. */
void storm_forget(struct core *core);

#endif
