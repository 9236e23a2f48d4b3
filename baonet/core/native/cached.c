/* The entries of the TLBs that map a page. */
#include "cached.h"

#include "regions.h"
#include "tlb.h"

/*
 * Where the TLB's entries of a page are: two virtual addresses are enough for nearly all. The low bits tell in which of the
 * TLBs; an address too many, and they are all searched.
 */
#define EVERYWHERE UINT64_MAX

void cached_note(struct region *region, uint64_t va, uint64_t ipa, int mmu_index) {
    if (!region->owners) return;
    uint64_t *places = region->cached[region_number(region, ipa)].places, bit = 1ull << mmu_index;
    if (places[0] == EVERYWHERE) return;
    for (int i = 0; i < PLACES; i++) {
        if (places[i] && (places[i] ^ va) & PAGE_MASK) continue;
        places[i] |= (va & PAGE_MASK) | bit;
        return;
    }
    places[0] = EVERYWHERE;
}

static void drop_entry(uint8_t *entry, uint64_t ipa, bool all) {
    if ((FIELD(uint64_t, entry, TLB_ENTRY_PADDR) & PAGE_MASK) != ipa) return;
    FIELD(uint64_t, entry, TLB_ENTRY_WRITE) = UINT64_MAX;
    if (all) FIELD(uint64_t, entry, TLB_ENTRY_READ) = FIELD(uint64_t, entry, TLB_ENTRY_CODE) = UINT64_MAX;
}

/* An entry has the address of its page less that of its region (paddr). */
static void drop_entries(struct core *core, uint64_t *places, uint64_t ipa, bool all) {
    for (unsigned mmu_index = 0; mmu_index < ARCH_MMU_INDEXES; mmu_index++) {
        uint8_t *victims = tlb_victims(core, mmu_index), *entry, *end;
        for (int i = 0; i < TLB_VICTIMS; i++) drop_entry(victims + i * TLB_ENTRY_SIZE, ipa, all);
        if (places[0] != EVERYWHERE) {
            for (int i = 0; i < PLACES; i++)
                if (places[i] >> mmu_index & 1) drop_entry(tlb_entry(core, mmu_index, places[i]), ipa, all);
            continue;
        }
        for (entry = tlb_table(core, mmu_index, &end); entry < end; entry += TLB_ENTRY_SIZE) drop_entry(entry, ipa, all);
    }
    if (all) memset(places, 0, PLACES * sizeof *places);
}

void cached_drop(struct core *core, struct region *region, uint32_t number, bool all) {
    struct cached *cached = &region->cached[number];
    if (cached->places[0]) drop_entries(core, cached->places, region->ipa + (uint64_t)number * PAGE_SIZE, all);
}
