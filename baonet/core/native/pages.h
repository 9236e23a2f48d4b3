/* Pages that hold translated code, and instruction-cache maintenance. */
#ifndef BAONET_PAGES_H
#define BAONET_PAGES_H

#include "core.h"

/* At the start of a block, which may be one of those that are dropped. */
void pages_settle(struct core *core);

/* Instruction-cache maintenance, for all vCPUs of the VM: of the line at a guest-physical address, of everything. */
void pages_invalidate_line(struct core *core, uint64_t ipa);
void pages_invalidate_all(struct core *core);

#endif
