/*
 * Accesses of the guest that the hypervisor emulates, while it is at the instruction that makes them: called in
 * mid-instruction, so the guest need not be left for it.
 */
#ifndef BAONET_EMULATE_H
#define BAONET_EMULATE_H

#include "core.h"

/*
 * Whether the hypervisor has done it; false: it wants to see the exit itself. Where something is to be told before, or its
 * emulation raises, they do not return, and the guest will be at the instruction again.
 */
bool emulate_load(struct core *core, uint64_t ipa, unsigned size, uint64_t *value);
bool emulate_store(struct core *core, uint64_t ipa, unsigned size, uint64_t value);

/* It is done, and the instruction of so many bytes has retired. Does not return. */
void emulate_complete(struct core *core, unsigned length);

#endif
