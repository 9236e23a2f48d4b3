/*
 * Markers in the trace of a run (docs/studies.md): a write to the debug communications channel, DBGDTR_EL0. It is one
 * instruction and no exit, and without a debugger it does nothing on hardware.
 */
#ifndef GUEST_MARK_H
#define GUEST_MARK_H

#include "guest.h"

static inline void mark(uint64_t value) { WRITE_REGISTER("s2_3_c0_c4_0", value); }

#define MARK_BEGIN(id) mark(1ull << 32 | (id))                                             /* id: 32 bits */
#define MARK_END(id) mark(2ull << 32 | (id))                                               /* of the last begin */
#define MARK_NUMBER(id, value) mark((uint64_t)(id) << 40 | 3ull << 32 | (uint32_t)(value)) /* id: 24 bits */

#endif
