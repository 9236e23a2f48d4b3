/* Records of what happened when. */
#ifndef BAONET_TRACE_H
#define BAONET_TRACE_H

#include "core.h"

void trace_record(struct core *core, enum kind kind, uint32_t a, uint64_t b, uint64_t c);
static inline void trace(struct core *core, enum kind kind, uint32_t a, uint64_t b, uint64_t c) {
    if (core->records) trace_record(core, kind, a, b, c);
}

/* Makes a chunk of what has been recorded since the last; -1: there is no memory. */
int trace_cut(struct core *core);

#endif
