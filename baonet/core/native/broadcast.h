/* What must reach the sibling vCPUs of a VM: maintenance of TLBs and of translated code. */
#ifndef BAONET_BROADCAST_H
#define BAONET_BROADCAST_H

#include "core.h"

/* Serves what siblings have asked. */
void broadcast_service(struct core *core);

/* Around a stay. */
void broadcast_enter(struct core *core);
void broadcast_leave(struct core *core);

/* At a barrier: pcpus of other nodes have done what they were asked before. */
void broadcast_finish(struct core *core);

/* While another vCPU has to do something first, which may have to wait for this one. */
void broadcast_wait(struct core *core, unsigned spins);

/* Asks every sibling, and returns when all have served it or are outside the guest. */
enum code_request { DROP_LINE, DROP_PAGE, TRACK_PAGE };
void broadcast_code(struct core *core, uint64_t ram_offset, enum code_request request);

#endif
