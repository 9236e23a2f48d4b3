/* Markers in the trace of a run (docs/studies.md). */
#ifndef GUEST_MARK_H
#define GUEST_MARK_H

#include "guest.h"

#define MARK_BEGIN(id) mark(1ull << 32 | (id))                                             /* id: 32 bits */
#define MARK_END(id) mark(2ull << 32 | (id))                                               /* of the last begin */
#define MARK_NUMBER(id, value) mark((uint64_t)(id) << 40 | 3ull << 32 | (uint32_t)(value)) /* id: 24 bits */

#endif
