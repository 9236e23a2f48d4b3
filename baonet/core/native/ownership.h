/* Which pages a core may read and write, in virtual time (ledger.h) or on one of several nodes (rights.h). */
#ifndef BAONET_OWNERSHIP_H
#define BAONET_OWNERSHIP_H

#include "core.h"
#include "resident.h"

/*
 * Before the core reads, or writes, a page. False: it belongs to another, and the core is frozen: nothing has changed. Else
 * the page is now the core's, or may be read by all, and the core's guest sees no time any more from before it was let go.
 */
bool ownership_enter(struct core *core, struct shared_page page, bool write);

/* The same for a page of a region. Always true for one of which no other pcpu knows. */
bool ownership_enter_region(struct core *core, const struct region *region, uint64_t ipa, bool write);

/* Before RAM is read for whoever looks at the guest, which in virtual time takes no right to it. */
void ownership_look(struct core *core, const struct region *region, uint64_t ipa);

/* Whether its stores may pass unseen: the page is its own. */
bool ownership_is_mine(const struct core *core, const struct region *region, uint64_t ipa);

/* A descriptor in the page was read for an entry of the TLB. */
void ownership_note_walk(struct core *core, struct region *region, uint64_t ipa);

/* Before a stay: drops what others have taken since the last. */
void ownership_catch_up(struct core *core);

/* For whoever takes a page of this core, which stands: the latest time that its guest knows. */
void ownership_show(struct core *core);

/* The core has no translation and no TLB entry any more. */
void ownership_forget(struct core *core);

#endif
