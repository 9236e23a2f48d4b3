/* Which pages a node may read and write under the host's clock, of an island that is on several, and what a core does without. */
#ifndef BAONET_RIGHTS_H
#define BAONET_RIGHTS_H

#include "core.h"
#include "resident.h"

/*
 * Returns when the node has the right to read, or write, the page. What the caller then does at once with it, or has an entry of
 * the TLB made for, is done before the node gives the right back. Amid an instruction: recalls are served meanwhile, nothing else.
 */
void rights_enter(struct core *core, struct shared_page page, bool write);

/* Whether stores may pass unseen. */
bool rights_may_write(const struct ownership *entry);

/* What was waited for has been used, or an entry of the TLB is there. */
void rights_use(struct core *core);

/* It has served something, or is outside the guest: the courier is called if it waits for that. */
void rights_tell(struct core *core);

/* At the start of a block: lets go of what other nodes want. */
void rights_serve(struct core *core);

/* The core has left the guest, and enters it only when it has served what is asked until then. */
void rights_leave(struct core *core);

#endif
