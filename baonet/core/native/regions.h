/* What the VM has at which guest-physical address (IPA), and where in the library's RAM that is. */
#ifndef BAONET_REGIONS_H
#define BAONET_REGIONS_H

#include "core.h"

/* NULL: nothing. */
struct region *region_find(struct core *core, uint64_t ipa);

/* Of the region. */
static inline uint32_t region_number(const struct region *region, uint64_t ipa) { return (uint32_t)((ipa - region->ipa) / PAGE_SIZE); }

/* The number of the page in the RAM of the VM, the same in each of its processes; of RAM only. */
uint64_t region_page(struct region *region, uint64_t ipa);

/*
 * The place of the next one, of whole pages; NULL with a Python error. It counts once the caller has added to
 * `region_count`.
 */
struct region *region_new(struct core *core, uint64_t ipa, uint64_t size);

/* Whether an access is the hypervisor's to emulate. */
bool region_emulated(struct core *core, uint64_t ipa);

#endif
