/* AArch32 at EL0, and AArch64 as the other state that a guest may be in. */
#ifndef BAONET_ARMV8_AARCH32_H
#define BAONET_ARMV8_AARCH32_H

#include "core.h"

bool aarch32_state(struct core *core);

/* Of either execution state, in the format of SPSR_EL2. */
uint64_t aarch32_pstate(struct core *core);

#endif
