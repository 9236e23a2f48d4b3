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

/* A store that does not enter the hypervisor on hardware: it carries it, and it is not told as an access. */
void emulate_pass(struct core *core, uint64_t ipa, unsigned size, uint64_t value);

/*
 * It is done, and the instruction of so many bytes has retired: as an emulated access, or at such a cost. Do not return.
 */
void emulate_complete(struct core *core, unsigned length);
void emulate_retire(struct core *core, unsigned length, uint64_t cost);

#endif
