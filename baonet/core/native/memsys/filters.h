/*
 * What is known to be a hit (the filters), and the micro-TLBs, whose pages are what it is known of.
 *
 * An entry of a filter is of the translation that the micro-TLB had when it was made: a page that comes back finds what is known of
 * its lines, if it is where it was. But of a page that others can reach only what has been asked since it came: they may have
 * taken lines meanwhile. A line is told of by one bit, in case that several virtual pages are where it is.
 */
#ifndef BAONET_MEMSYS_FILTERS_H
#define BAONET_MEMSYS_FILTERS_H

#include "inside.h"

/* Has an entry be of the page in a slot; whether what was known of it is. */
static inline bool page_enter(struct memsys_page *of, const struct micro *micro, uint32_t slot) {
    const struct tlb_entry *is = &micro->held[slot];
    bool same = of->key == is->key && of->target == is->target;
    of->key = is->key;
    of->target = is->target;
    of->slot = slot;
    return same;
}

/* ---- Data ---- */

#define DATA_PLACES (MEMSYS_DATA_PAGES * 64)
static inline uint16_t data_place(uint64_t va) { return va >> MEMSYS_LINE_SHIFT & (DATA_PLACES - 1); }

/* The micro-TLB has the page. */
static inline struct memsys_data_page *data_enter_page(struct inner *in, uint64_t va, uint32_t slot) {
    uint64_t page = va >> MEMSYS_PAGE_SHIFT << MEMSYS_PAGE_SHIFT;
    struct memsys_data_page *known = &in->head.data[memsys_data_index(va)];
    bool same = page_enter(&known->of, &in->micro[0], slot);
    if (same && known->page == page) return known;
    if (!same || known->of.target & TARGET_SHARED) known->lines = known->owned = 0;
    known->page = page;
    return known;
}
static inline void data_forget_place(struct inner *in, uint16_t place) {
    struct memsys_data_page *known = &in->head.data[place >> 6];
    uint64_t others = ~((uint64_t)1 << (place & 63));
    known->lines &= others;
    known->owned &= others;
}
static inline void data_enter(struct inner *in, const struct place *place, uint32_t set, uint32_t way, bool owned) {
    if (place->slot < 0) return;
    uint16_t *told = &in->data_places[set * in->l1d.ways + way], own = data_place(place->va);
    data_forget_place(in, *told);
    *told = own;
    struct memsys_data_page *known = data_enter_page(in, place->va, (uint32_t)place->slot);
    known->lines |= (uint64_t)1 << (own & 63);
    known->owned = (known->owned & ~((uint64_t)1 << (own & 63))) | (uint64_t)owned << (own & 63);
}
/* Something else is in this way of the L1D now, or the line there is clean. */
static inline void data_forget_way(struct inner *in, uint32_t set, uint32_t way) {
    data_forget_place(in, in->data_places[set * in->l1d.ways + way]);
}
/* The page of a key has left the micro-TLB; and nothing is known of its lines. */
static inline struct memsys_data_page *data_page_of(struct inner *in, uint64_t key) {
    return &in->head.data[key >> KEY_SHIFT & (MEMSYS_DATA_PAGES - 1)];
}
static inline void data_forget_page(struct inner *in, uint64_t key) {
    struct memsys_data_page *known = data_page_of(in, key);
    if (key_of(known->page >> MEMSYS_PAGE_SHIFT, 0) == key_of(key >> KEY_SHIFT, 0)) known->page = MEMSYS_NOWHERE;
}
static inline void data_forget_lines(struct inner *in, uint64_t key) {
    struct memsys_data_page *known = data_page_of(in, key);
    known->lines = known->owned = 0;
}
/* A load has found its line in this way; with `own`, one that has taken it for itself. */
static inline void load_found(struct inner *in, const struct place *place, uint32_t set, uint32_t way, bool own) {
    /* dirty, and no other has it, which a load cannot tell beside others' */
    bool owned = in->l1d.tags[set * in->l1d.ways + way] & L1_DIRTY && (own || !place->shared);
    data_enter(in, place, set, way, owned && in->writing.line != place->pa >> MEMSYS_LINE_SHIFT);
}
static inline void store_found(struct inner *in, const struct place *place, uint32_t set, uint32_t way) {
    in->l1d.tags[set * in->l1d.ways + way] |= L1_DIRTY;
    data_enter(in, place, set, way, true);
}
/* Nothing is known of any line. */
void memsys_data_forget_all(struct inner *in);

/* ---- Code ---- */

#define CODE_PLACES (MEMSYS_CODE_PAGES * 64)
static inline uint16_t code_place(uint64_t va) { return va >> MEMSYS_LINE_SHIFT & (CODE_PLACES - 1); }
/* A line has a bit in its own word, and if it is one of the first there, in the word before. */
static inline void code_set_absent(struct inner *in, uint16_t place, uint64_t absent) {
    uint64_t *words = in->head.code[place >> 6].words;
    uint32_t at = place >> 3 & 7, bit = place & 7;
    words[at] = (words[at] & ~((uint64_t)1 << bit)) | absent << bit;
    if (!at || bit >= MEMSYS_CODE_LINES - 8) return;
    words[at - 1] = (words[at - 1] & ~((uint64_t)1 << (bit + 8))) | absent << (bit + 8);
}
static inline void code_set_page(struct memsys_code_page *code, uint64_t page) {
    for (uint32_t i = 0; i < MEMSYS_CODE_WORDS; i++) code->words[i] = page | (code->words[i] & MEMSYS_CODE_BITS);
}
static inline bool code_is_of(const struct memsys_code_page *code, uint64_t page) {
    return (code->words[0] & ~MEMSYS_CODE_BITS) == page;
}
static inline void code_enter_page(struct inner *in, const struct place *place) {
    uint64_t page = place->va & ~MEMSYS_CODE_BITS;
    struct memsys_code_page *code = &in->head.code[memsys_code_index(page)];
    bool same = page_enter(&in->code_of[memsys_code_index(page)], &in->micro[1], (uint32_t)place->slot);
    if (same && code_is_of(code, page)) return;
    for (uint32_t i = 0; i < MEMSYS_CODE_WORDS && !same; i++) code->words[i] = MEMSYS_CODE_BITS;
    code_set_page(code, page);
}
static inline void code_enter(struct inner *in, const struct place *place, uint32_t set, uint32_t way) {
    if (place->slot < 0) return;
    uint16_t *told = &in->code_places[set * in->l1i.ways + way], own = code_place(place->va);
    if (*told != own) code_set_absent(in, *told, 1);
    *told = own;
    code_enter_page(in, place);
    code_set_absent(in, own, 0);
}
/* Something else is in this way of the L1I now. */
static inline void code_forget_way(struct inner *in, uint32_t set, uint32_t way) {
    code_set_absent(in, in->code_places[set * in->l1i.ways + way], 1);
}
static inline void code_forget_page(struct inner *in, uint64_t key) {
    struct memsys_code_page *code = &in->head.code[key >> KEY_SHIFT & (MEMSYS_CODE_PAGES - 1)];
    if (key_of(code->words[0] >> MEMSYS_PAGE_SHIFT, 0) == key_of(key >> KEY_SHIFT, 0)) code_set_page(code, MEMSYS_NOWHERE);
}
/* Whether the L1I has the line. */
static inline bool code_found(struct inner *in, const struct place *place) {
    uint32_t set = l1_set(&in->l1i, place->va);
    int way = l1_find(&in->l1i, set, place->pa);
    if (way >= 0) code_enter(in, place, set, (uint32_t)way);
    return way >= 0;
}
/* All have left the L1I. */
void memsys_code_forget_all(struct inner *in);

/* ---- The micro-TLBs ---- */

static inline struct memsys_page *page_of(struct inner *in, bool fetch, uint64_t page) {
    return fetch ? &in->code_of[page & (MEMSYS_CODE_PAGES - 1)] : &in->head.data[page & (MEMSYS_DATA_PAGES - 1)].of;
}
/* The page that the filter's entry for an address tells of. */
static inline uint64_t page_known(const struct inner *in, bool fetch, uint64_t va) {
    return fetch ? in->head.code[memsys_code_index(va)].words[0] & ~MEMSYS_CODE_BITS : in->head.data[memsys_data_index(va)].page;
}

/* The slot of a page; -1: it is not there. */
static inline int micro_find(struct inner *in, bool fetch, uint64_t va) {
    const struct micro *micro = &in->micro[fetch];
    uint64_t page = va >> MEMSYS_PAGE_SHIFT, known = page_known(in, fetch, va);
    const struct memsys_page *of = page_of(in, fetch, page);
    if (known == page << MEMSYS_PAGE_SHIFT) return (int)of->slot;
    if (of->many == (known != MEMSYS_NOWHERE)) return -1;
    uint64_t own = key_of(page, whose_of(in->head.context, false)), all = key_of(page, whose_of(in->head.context, true));
    for (uint32_t i = 0; i < micro->entries; i++)
        if (micro->held[i].key == own || micro->held[i].key == all) return (int)i;
    return -1;
}

/* A translation of the main TLB's comes into it, in place of the next: gives the slot. */
uint32_t memsys_micro_enter(struct inner *in, bool fetch, uint64_t va, const struct tlb_entry *entry);

/*
 * The main TLB's entry for an address; NULL. Most often it is where it was when it was last looked for. While nothing else changes by
 * what is translated, none comes that would be found before it: for what an entry is for nothing is walked.
 */
static inline const struct tlb_entry *find_held(struct inner *in, bool fetch, uint64_t va) {
    struct memsys_page *of = page_of(in, fetch, va >> MEMSYS_PAGE_SHIFT);
    if (of->held && tlb_is_for(&in->tlb_entries[of->held - 1], va, in->head.context)) return &in->tlb_entries[of->held - 1];
    const struct tlb_entry *held = memsys_tlb_find(&in->tlb, in->tlb_entries, va, in->head.context);
    of->held = held ? (uint64_t)(held - in->tlb_entries) + 1 : 0;
    return held;
}

/* A page that is not there, if the main TLB has it: its slot, and what that takes is added to *spent; -1: it has to be walked for. */
static inline int micro_refill(struct inner *in, bool fetch, uint64_t va, unsigned *spent) {
    const struct tlb_entry *held = find_held(in, fetch, va);
    if (!held) return -1;
    *spent += micro_missed(in, fetch);
    return (int)memsys_micro_enter(in, fetch, va, held);
}

/* Likewise from wherever it is; -1: it is nowhere (any more). *spent: the cycles, in either case. */
int memsys_refill(const struct memsys_view *view, uint64_t now, uint64_t va, bool fetch, unsigned *spent);

/* False: it is nowhere. */
static inline bool translate(const struct memsys_view *view, uint64_t now, uint64_t va, bool fetch, struct place *place,
                             unsigned *spent) {
    struct inner *in = inner_of(view);
    int slot = micro_find(in, fetch, va);
    *spent = 0;
    if (slot < 0) slot = memsys_refill(view, now, va, fetch, spent);
    if (slot >= 0) *place = place_in(in, fetch, slot, va);
    return slot >= 0;
}

#endif
