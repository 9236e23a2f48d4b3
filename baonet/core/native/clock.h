/* What time it is: of the host, or virtual time. */
#ifndef BAONET_CLOCK_H
#define BAONET_CLOCK_H

#include "core.h"

/* CLOCK_MONOTONIC, in nanoseconds. */
uint64_t host_now(void);

/* Since the start of the machine: cycles of virtual time, or nanoseconds of the host; and so that it never goes back. */
uint64_t clock_now(struct core *core);
uint64_t clock_seen(struct core *core);

/* Under the host's clock: have the machine's time fall behind it by so much more. */
void clock_fall_behind(struct core *core, uint64_t nanoseconds);

/* The rest is of virtual time. After something has changed that says when the stay has to be looked at. */
void clock_plan(struct core *core);

void clock_skip(struct core *core, uint64_t cycles);

/* At the start of a block whose `instructions` are already taken. */
void clock_block_start(struct core *core, unsigned instructions);

#endif
