/* What a core's TLBs have of a page that others can reach. */
#ifndef BAONET_CACHED_H
#define BAONET_CACHED_H

#include "core.h"

/* An entry of the TLB is made that maps the page. */
void cached_note(struct region *region, uint64_t va, uint64_t ipa, int mmu_index);

/* Stores to the page by any entry are seen again; `all`: loads and fetches too. */
void cached_drop(struct core *core, struct region *region, uint32_t number, bool all);

#endif
