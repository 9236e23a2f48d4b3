#include "filters.h"

#include <string.h>

#define LARGEST_SHIFT 29 /* blocks of 1 GiB are split (TRM 5.2.2) */

static unsigned load_descriptor(const struct memsys_view *view, uint64_t now, uint64_t pa) {
    counting(inner_of(view))->walk_loads++;
    return spend(inner_of(view), memsys_ask_apart(view, now, ASK_WALK, pa >> MEMSYS_LINE_SHIFT));
}

/* Where an IPA is: a target; 0: nowhere. */
static uint64_t find_stage2(const struct memsys_view *view, uint64_t now, uint64_t ipa, unsigned *total) {
    struct inner *in = inner_of(view);
    struct tlb_entry *held = memsys_tlb_find(&in->ipa, in->ipa_entries, ipa, 0);
    if (held) {
        counting(in)->ipa_cache_hits++;
        return held->target;
    }
    struct memsys_stage2 found = {0};
    if (!view->stage2(view->of, ipa, &found)) return 0;
    for (uint32_t i = 0; i < found.levels; i++) *total += load_descriptor(view, now + *total, found.descriptors[i]);
    uint32_t shift = found.shift < LARGEST_SHIFT ? found.shift : LARGEST_SHIFT;
    uint64_t target = target_of(found.pa, shift, found.memory, found.memory) | (found.shared ? TARGET_SHARED : 0);
    if (found.levels) memsys_tlb_put(&in->ipa, in->ipa_entries, in->ipa_next, ipa, 0, target);
    return target;
}

/* Reads the descriptors of a stage-1 walk, where they are: but for the last one only if the walk cache has not what they say. */
static bool read_stage1(const struct memsys_view *view, uint64_t now, uint64_t va, const struct memsys_walk *walk,
                        unsigned *total) {
    struct inner *in = inner_of(view);
    uint32_t reach = 2 * walk->shift - 3, context = in->head.context; /* a table has as many 8-byte entries as fit a page */
    uint32_t first = 0;
    if (walk->page && memsys_tlb_find(&in->walk, in->walk_entries, va, context)) {
        counting(in)->walk_cache_hits++;
        first = walk->levels - 1;
    }
    for (uint32_t i = first; i < walk->levels; i++) {
        uint64_t target = find_stage2(view, now, walk->descriptors[i], total);
        if (!target) return false;
        *total += load_descriptor(view, now + *total, target_pa(target, walk->descriptors[i]));
    }
    if (walk->page && !first && walk->levels > 1)
        memsys_tlb_put(&in->walk, in->walk_entries, in->walk_next, va, whose_of(context, false), target_of(0, reach, 0, 0));
    return true;
}

/* A walk of both stages; false: there is no translation. */
static __attribute__((noinline)) bool walk_tables(const struct memsys_view *view, uint64_t now, uint64_t va, bool fetch, struct tlb_entry *entry,
                        unsigned *total) {
    struct inner *in = inner_of(view);
    struct memsys_walk walk = {0};
    if (!view->walk(view->of, va, fetch, &walk)) return false;
    if (fetch) counting(in)->tlb_i_misses++;
    else counting(in)->tlb_d_misses++;
    *total += spend(in, in->head.parameters.tlb_miss);
    if (walk.levels && !read_stage1(view, now, va, &walk, total)) return false;
    uint64_t stage2 = find_stage2(view, now, walk.ipa, total);
    if (!stage2) return false;
    uint32_t shift = target_shift(stage2), memory = target_memory(stage2, false), code = memory;
    if (walk.levels && walk.shift < shift) shift = walk.shift;
    if (walk.memory > memory) memory = walk.memory;
    if (walk.code > code) code = walk.code;
    uint64_t target = target_of(target_pa(stage2, walk.ipa), shift, memory, code) | (stage2 & TARGET_SHARED);
    uint32_t whose = whose_of(in->head.context, walk.global);
    memsys_tlb_put(&in->tlb, in->tlb_entries, in->tlb_next, va, whose, target);
    *entry = (struct tlb_entry){key_of(0, whose), target};
    return true;
}

/* The page in a slot has left it. */
static void micro_forget(struct inner *in, bool fetch, uint32_t slot) {
    struct tlb_entry *held = &in->micro[fetch].held[slot];
    if (held->key == NO_KEY) return;
    if (fetch) code_forget_page(in, held->key);
    else data_forget_page(in, held->key);
    if (!fetch) in->written.virtual = MEMSYS_NOWHERE;
    page_of(in, fetch, held->key >> KEY_SHIFT)->many--;
    *held = (struct tlb_entry){NO_KEY, 0};
}

uint32_t memsys_micro_enter(struct inner *in, bool fetch, uint64_t va, const struct tlb_entry *entry) {
    struct micro *micro = &in->micro[fetch];
    uint32_t slot = micro->next, whose = entry->key & (KEY_GLOBAL | KEY_CONTEXT);
    micro->next = slot + 1 < micro->entries ? slot + 1 : 0;
    micro_forget(in, fetch, slot);
    uint64_t target = target_of(target_pa(entry->target, va), MEMSYS_PAGE_SHIFT, target_memory(entry->target, fetch), 0);
    micro->held[slot] = (struct tlb_entry){key_of(va >> MEMSYS_PAGE_SHIFT, whose), target | (entry->target & TARGET_SHARED)};
    page_of(in, fetch, va >> MEMSYS_PAGE_SHIFT)->many++;
    return slot;
}

int memsys_refill(const struct memsys_view *view, uint64_t now, uint64_t va, bool fetch, unsigned *spent) {
    struct inner *in = inner_of(view);
    struct tlb_entry walked;
    *spent = 0;
    int slot = micro_refill(in, fetch, va, spent);
    if (slot >= 0) return slot;
    *spent = micro_missed(in, fetch);
    return walk_tables(view, now, va, fetch, &walked, spent) ? (int)memsys_micro_enter(in, fetch, va, &walked) : -1;
}

void memsys_data_forget_all(struct inner *in) {
    for (uint32_t i = 0; i < MEMSYS_DATA_PAGES; i++) in->head.data[i].lines = in->head.data[i].owned = 0;
    in->written.virtual = MEMSYS_NOWHERE;
}

void memsys_code_forget_all(struct inner *in) {
    for (uint32_t i = 0; i < MEMSYS_CODE_PAGES; i++)
        for (uint32_t n = 0; n < MEMSYS_CODE_WORDS; n++) in->head.code[i].words[n] = MEMSYS_NOWHERE | MEMSYS_CODE_BITS;
}

void memsys_set_context(struct memsys *memsys, uint32_t context) {
    struct inner *in = (struct inner *)memsys;
    if (memsys->context == context) return;
    memsys->context = context;
    for (uint32_t slot = 0; slot < in->micro[0].entries; slot++) data_forget_page(in, in->micro[0].held[slot].key);
    for (uint32_t slot = 0; slot < in->micro[1].entries; slot++) code_forget_page(in, in->micro[1].held[slot].key);
    in->written.virtual = MEMSYS_NOWHERE;
    for (uint32_t i = 0; i < MEMSYS_DATA_PAGES; i++) in->head.data[i].of.held = 0;
    for (uint32_t i = 0; i < MEMSYS_CODE_PAGES; i++) in->code_of[i].held = 0;
}

static bool concerns(uint64_t key, enum memsys_tlbi kind, uint16_t asid) {
    if (kind == MEMSYS_TLBI_ASID) return !(key & KEY_GLOBAL) && (key & KEY_ASID) == asid;
    if (kind == MEMSYS_TLBI_VA) return key & KEY_GLOBAL || (key & KEY_ASID) == asid;
    return true;
}

/* Of entries for an address, or of all: those that a request is for are gone. */
static void invalidate(struct tlb_sets *tlb, struct tlb_entry entries[], enum memsys_tlbi kind, uint16_t asid, uint64_t va) {
    bool of_address = kind == MEMSYS_TLBI_VA || kind == MEMSYS_TLBI_VA_ALL;
    for (uint32_t i = 0; i < tlb->sets * tlb->ways && !of_address; i++)
        if (concerns(entries[i].key, kind, asid)) entries[i] = (struct tlb_entry){0};
    for (uint64_t shifts = of_address ? tlb->shifts : 0; shifts; shifts &= shifts - 1) {
        uint32_t shift = (uint32_t)__builtin_ctzll(shifts);
        uint64_t page = key_of((va >> shift << shift) >> MEMSYS_PAGE_SHIFT, 0);
        struct tlb_entry *set = entries + (size_t)tlb_set(tlb, va, shift) * tlb->ways;
        for (uint32_t way = 0; way < tlb->ways; way++)
            if ((set[way].key ^ page) >> KEY_SHIFT == 0 && target_shift(set[way].target) == shift &&
                concerns(set[way].key, kind, asid))
                set[way] = (struct tlb_entry){0};
    }
    if (kind == MEMSYS_TLBI_ALL || kind == MEMSYS_TLBI_STAGE1) tlb->shifts = 0;
}

/* All maintenance empties both micro-TLBs (Cortex-A35's manual, 100236, A6.2). */
void memsys_tlbi(struct memsys *memsys, enum memsys_tlbi kind, uint16_t asid, uint64_t va) {
    struct inner *in = (struct inner *)memsys;
    invalidate(&in->tlb, in->tlb_entries, kind, asid, va);
    invalidate(&in->walk, in->walk_entries, kind, asid, va);
    if (kind == MEMSYS_TLBI_ALL) invalidate(&in->ipa, in->ipa_entries, kind, asid, va);
    for (unsigned side = 0; side < 2; side++)
        for (uint32_t slot = 0; slot < in->micro[side].entries; slot++) micro_forget(in, side, slot);
}
