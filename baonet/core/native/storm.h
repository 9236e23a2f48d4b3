/* Exceptions that the guest takes itself, and when they are a storm. */
#ifndef BAONET_STORM_H
#define BAONET_STORM_H

#include "core.h"

/* After the library has delivered one to EL1. */
void core_exception_taken(struct core *core);

/* What was taken in the last spell and the instructions between, once in a life of the guest. */
bool core_storm(struct core *core, uint64_t *taken, uint64_t *instructions, bool *interrupts);

/* The guest starts anew. */
void core_forget_exceptions(struct core *core);

#endif
