/* Stage 2 of the model's walks: Bao's tables have 4 KiB granules and begin at level 1. */
#include "physical.h"

#include "regions.h"

#define TABLE_BITS 9
#define WHOLE_SHIFT 30 /* of a block where no map tells of smaller ones */

static unsigned shift_of(unsigned level) { return 12 + TABLE_BITS * (3 - level); }

/* The table of a level that translates an IPA; NULL: there is none. */
static const struct table *table_of(const struct physical *physical, uint64_t ipa, unsigned level) {
    unsigned span = shift_of(level) + TABLE_BITS;
    uint64_t covers = ipa >> span << span | level;
    size_t low = 0, high = physical->table_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (physical->tables[middle].covers < covers) low = middle + 1;
        else high = middle;
    }
    return low < physical->table_count && physical->tables[low].covers == covers ? &physical->tables[low] : NULL;
}

static void walk(const struct physical *physical, uint64_t ipa, struct memsys_stage2 *found) {
    for (unsigned level = 1; level <= 3 && shift_of(level) >= found->shift; level++) {
        const struct table *table = table_of(physical, ipa, level);
        if (table) found->descriptors[found->levels++] = table->at + (ipa >> shift_of(level) & ((1u << TABLE_BITS) - 1)) * 8;
    }
}

/* As an entry of `pages`; 0: the hypervisor has not placed it. */
static uint64_t placed(const struct physical *physical, struct region *region, uint64_t ipa) {
    uint64_t page = region_page(region, ipa);
    return page < physical->page_count ? physical->pages[page] : 0;
}

uint64_t physical_page(const struct physical *physical, struct region *region, uint64_t ipa) {
    return (physical->pages ? placed(physical, region, ipa) : ipa) & PAGE_MASK;
}

bool physical_find(struct core *core, const struct physical *physical, uint64_t ipa, struct memsys_stage2 *found) {
    struct region *region = region_find(core, ipa);
    if (!region) return false;
    *found = (struct memsys_stage2){.pa = ipa, .shift = WHOLE_SHIFT, .memory = MEMSYS_CACHED, .shared = region->owners};
    if (!region->host) *found = (struct memsys_stage2){.pa = ipa, .shift = 12, .memory = MEMSYS_DEVICE};
    if (!physical->pages) return true;
    if (region->host) {
        uint64_t page = placed(physical, region, ipa);
        if (!page) return false;
        found->pa = (page & PAGE_MASK) | (ipa & ~PAGE_MASK);
        found->shift = page & ~PAGE_MASK;
    }
    walk(physical, ipa, found);
    return true;
}
