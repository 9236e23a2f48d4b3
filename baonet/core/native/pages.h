/* Pages that hold translated code, and instruction-cache maintenance. */
#ifndef BAONET_PAGES_H
#define BAONET_PAGES_H

#include "core.h"

/* At the start of a block, which may be one of those that are dropped. */
void pages_settle(struct core *core);

/* IC IVAU; IC IALLU and IALLUIS. */
void pages_invalidate_line(void *env, const void *ri, uint64_t va);
void pages_invalidate_all(void *env, const void *ri, uint64_t value);

#endif
