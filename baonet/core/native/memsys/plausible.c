/* Whether state that was kept can be one: what places in memory follow from. Whatever else is in it, it bears. */
#include <string.h>

#include "filters.h"

static bool l1_is(const struct l1 *cache, uint32_t size, uint32_t ways) {
    struct l1 like;
    l1_init(&like, size, ways);
    return cache->sets == like.sets && cache->ways == ways;
}

static bool sets_are(const struct tlb_sets *tlb, const uint8_t next[], uint32_t entries, uint32_t ways) {
    if (tlb->ways != ways || tlb->sets != entries / ways) return false;
    for (uint32_t set = 0; set < tlb->sets; set++)
        if (next[set] >= ways) return false;
    return true;
}

static bool micro_is(const struct micro *micro, uint32_t entries) {
    return micro->entries == entries && micro->next < entries;
}

static bool page_is(const struct memsys_page *page) { return page->slot < MICRO_ENTRIES && page->held <= TLB_ENTRIES; }

static bool filters_are(const struct inner *in) {
    for (unsigned i = 0; i < L1_LINES; i++)
        if (in->data_places[i] >= DATA_PLACES || in->code_places[i] >= CODE_PLACES) return false;
    for (unsigned i = 0; i < MEMSYS_DATA_PAGES; i++)
        if (!page_is(&in->head.data[i].of)) return false;
    for (unsigned i = 0; i < MEMSYS_CODE_PAGES; i++)
        if (!page_is(&in->code_of[i])) return false;
    return true;
}

bool memsys_ahead_plausible(const struct ahead *ahead, const struct memsys_parameters *p) {
    for (unsigned i = 0; i < AHEAD_HINTS; i++)
        if (ahead->hints[i] >= AHEAD_LINES) return false;
    return ahead->capacity == ahead_capacity(p) && ahead->next < ahead->capacity;
}

bool memsys_plausible(const struct memsys *memsys, const struct memsys_parameters *p) {
    const struct inner *in = (const struct inner *)memsys;
    return !memcmp(&memsys->parameters, p, sizeof *p) && !memsys->hypervisor && l1_is(&in->l1i, p->l1i_size, p->l1i_ways) &&
           l1_is(&in->l1d, p->l1d_size, p->l1d_ways) && micro_is(&in->micro[0], p->utlb_data) &&
           micro_is(&in->micro[1], p->utlb_instruction) && sets_are(&in->tlb, in->tlb_next, p->tlb_entries, p->tlb_ways) &&
           sets_are(&in->walk, in->walk_next, p->walk_cache_entries, p->walk_cache_ways) &&
           sets_are(&in->ipa, in->ipa_next, p->ipa_cache_entries, p->ipa_cache_ways) &&
            filters_are(in) && in->due.count <= L1_LINES && in->prefetcher.next < PREFETCH_STREAMS &&
            memsys_ahead_plausible(&in->ahead, p);
}
