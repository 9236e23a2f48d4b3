/* Which pages a core may read and write in virtual time, and what it does at one that it may not (ledger.h). */
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

/* Whether its stores may pass unseen: the page is its own. */
bool ownership_is_mine(const struct core *core, const struct region *region, uint64_t ipa);

/* An entry of the TLB is made that maps the page; a descriptor in the page was read for one. */
void ownership_note_entry(struct region *region, uint64_t va, uint64_t ipa, int mmu_index);
void ownership_note_walk(struct core *core, struct region *region, uint64_t ipa);

/* Before a stay: drops what others have taken since the last. */
void ownership_catch_up(struct core *core);

/* For whoever takes a page of this core, which stands: the latest time that its guest knows. */
void ownership_show(struct core *core);

/* The core has no translation and no TLB entry any more. */
void ownership_forget(struct core *core);

#endif
