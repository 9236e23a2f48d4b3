/* Synchronous external aborts: accesses that the bus refuses. */
#ifndef BAONET_ARMV8_BUS_H
#define BAONET_ARMV8_BUS_H

#include "core.h"

/* `from`: the host's PC at the access, 0 for a fetch. They do not return. */
void bus_abort(struct core *core, uint64_t va, int access, uintptr_t from);
void bus_abort_on_walk(struct core *core, uint64_t va, uint32_t level, int access, uintptr_t from);

#endif
