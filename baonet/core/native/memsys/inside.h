/* The whole state of a pcpu's hierarchy, and what its files do for each other. */
#ifndef BAONET_MEMSYS_INSIDE_H
#define BAONET_MEMSYS_INSIDE_H

#include "hierarchy.h"
#include "l1.h"
#include "l2.h"
#include "prefetch.h"
#include "tlb_sets.h"

/* A micro-TLB: pages of 4 KiB, victims in turn. */
struct micro {
    uint32_t entries, next;
    uint8_t many[MICRO_HINTS], hints[MICRO_HINTS]; /* by the page: how many such are here, and where one was found last */
    uint64_t keys[MICRO_ENTRIES], targets[MICRO_ENTRIES];
};

/* A bit for each byte of its line that an access within one writes. */
static inline uint64_t written_bytes(uint64_t va, unsigned size) {
    return (size < MEMSYS_LINE ? ((uint64_t)1 << size) - 1 : UINT64_MAX) << (va & (MEMSYS_LINE - 1));
}

/* The line that stores write to, as long as it is not known whether they write all of it. */
struct writing {
    uint64_t line;    /* NO_LINE: none */
    uint64_t bytes;   /* a bit for each that has been written */
    uint32_t full;    /* full lines in a row before this one */
    uint32_t passing; /* it is not in the first level */
};

/* Where stores have found it: a virtual line, of a page that the micro-TLB has and no other pcpu reaches; MEMSYS_NOWHERE: none. */
struct written {
    uint64_t virtual, line;
};

/* Dirty lines that others have asked to have cleaned, or flushed (bit 0): they go to memory when the next window begins. */
struct due {
    uint32_t count, reserved;
    uint64_t lines[L1_LINES];
};

struct inner {
    struct memsys head;
    struct l1 l1i, l1d;
    uint8_t ways[MEMSYS_FILTER]; /* of the lines in head.filter */
    struct micro micro[2];       /* of data, of instructions */
    uint64_t filtered[MICRO_ENTRIES]; /* of a page in micro[0]: a bit for each line that has come into head.filter since it is there */
    struct code_of { /* the translation that an entry of head.code is of */
        uint64_t key, target;
    } code_of[MEMSYS_CODE_PAGES];
    uint16_t code_places[L1_LINES]; /* of each way of the L1I: the bit of head.code that tells of it (code_place) */
    struct tlb_sets tlb, walk, ipa;
    struct tlb_entry tlb_entries[TLB_ENTRIES], walk_entries[SMALL_ENTRIES], ipa_entries[SMALL_ENTRIES];
    uint8_t tlb_next[TLB_ENTRIES], walk_next[SMALL_ENTRIES], ipa_next[SMALL_ENTRIES];
    struct writing writing;
    struct written written;
    struct prefetcher prefetcher;
    struct ahead ahead;
    struct due due;
    struct path path;
    struct memsys_channel channel; /* as if no other used it */
    /* What the cluster keeps of the path, the channel and lines ahead is what was here when the window began; the log tells the rest. */
    uint64_t kept;
};

static inline struct inner *inner_of(const struct memsys_view *view) { return (struct inner *)view->memsys; }
static inline struct memsys_counters *counting(struct inner *in) { return &in->head.counters[in->head.hypervisor]; }

/* Asks the second level, writes that down, and gives the cycles that it takes; counts them as stalls: what the second level takes of
 * it as `cause`, so too what memory does, if that is MEMSYS_STALL_DEVICE. */
unsigned memsys_ask(const struct memsys_view *view, uint64_t now, enum request request, uint64_t line, enum memsys_cause cause);
/* Likewise, but counts no stalls: the caller does, or nobody waits. */
unsigned memsys_ask_apart(const struct memsys_view *view, uint64_t now, enum request request, uint64_t line);

/* Where a virtual address is. `slot`: its page's in the micro-TLB; -1: none, as it was not translated. */
struct place {
    uint64_t va, pa;
    uint32_t memory;
    bool shared; /* struct memsys_stage2's */
    int slot;
};
/* The slot of a page in a micro-TLB; -1: it is not there. */
static inline int micro_find(struct inner *in, bool fetch, uint64_t va) {
    struct micro *micro = &in->micro[fetch];
    uint64_t page = va >> MEMSYS_PAGE_SHIFT;
    uint64_t own = key_of(page, whose_of(in->head.context, false)), all = key_of(page, whose_of(in->head.context, true));
    uint8_t *hint = &micro->hints[page & (MICRO_HINTS - 1)];
    if (!micro->many[page & (MICRO_HINTS - 1)]) return -1;
    if (micro->keys[*hint] == own || micro->keys[*hint] == all) return *hint;
    for (uint32_t i = 0; i < micro->entries; i++)
        if ((micro->keys[i] ^ own) >> KEY_SHIFT == 0 && (micro->keys[i] == own || micro->keys[i] == all)) {
            *hint = (uint8_t)i;
            return (int)i;
        }
    return -1;
}
/* Of a page whose accesses are such where caches are enabled: what they are now. */
static inline uint32_t memory_now(const struct inner *in, bool fetch, uint32_t memory) {
    bool disabled = in->head.context & (fetch ? MEMSYS_CODE_UNCACHED : MEMSYS_DATA_UNCACHED);
    return disabled && memory == MEMSYS_CACHED ? MEMSYS_UNCACHED : memory;
}
static inline struct place place_in(const struct inner *in, bool fetch, int slot, uint64_t va) {
    uint64_t target = in->micro[fetch].targets[slot];
    return (struct place){.va = va,
                          .pa = target_pa(target, va) & (((uint64_t)1 << MEMSYS_ADDRESS_BITS) - 1),
                          .memory = memory_now(in, fetch, target_memory(target, false)),
                          .shared = target & TARGET_SHARED,
                          .slot = slot};
}

/* False: it is nowhere (any more). *spent: the cycles, in either case. */
bool memsys_translate(const struct memsys_view *view, uint64_t now, uint64_t va, bool fetch, struct place *place, unsigned *spent);

/* Whether that of an address of data needs no walk. */
bool memsys_translated(struct memsys *memsys, uint64_t va);

/* That a line was asked for ahead was in vain, which no log tells. */
static inline void drop_ahead(struct inner *in, uint64_t line) {
    int at = ahead_find(&in->ahead, line);
    if (at < 0) return;
    ahead_drop(&in->ahead, at);
    in->kept = false;
}

bool memsys_ahead_plausible(const struct ahead *ahead, const struct memsys_parameters *parameters);

/* ---- The filters ---- */

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
/* The micro-TLB has the page: what was known of it holds, if it is where it was. */
static inline void code_enter_page(struct inner *in, const struct place *place) {
    uint64_t page = place->va & ~MEMSYS_CODE_BITS;
    struct memsys_code_page *code = &in->head.code[memsys_code_index(page)];
    struct code_of *of = &in->code_of[memsys_code_index(page)];
    struct code_of is = {in->micro[1].keys[place->slot], in->micro[1].targets[place->slot]};
    bool same = of->key == is.key && of->target == is.target;
    if (same && code_is_of(code, page)) return;
    for (uint32_t i = 0; i < MEMSYS_CODE_WORDS && !same; i++) code->words[i] = MEMSYS_CODE_BITS;
    *of = is;
    code_set_page(code, page);
}
/* A line is told of by one bit, in case that several virtual pages are where it is. */
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
/* All have left the L1I; all pages have left the micro-TLB. */
void memsys_code_forget_all(struct inner *in);
void memsys_code_forget_pages(struct inner *in);
static inline void filter_enter(struct inner *in, const struct place *place, uint32_t way, bool owned) {
    if (place->slot < 0) return;
    uint64_t line = place->va >> MEMSYS_LINE_SHIFT;
    in->head.filter[line & (MEMSYS_FILTER - 1)] = line << MEMSYS_LINE_SHIFT;
    in->head.owned[line & (MEMSYS_FILTER - 1)] = owned ? line << MEMSYS_LINE_SHIFT : MEMSYS_NOWHERE;
    in->ways[line & (MEMSYS_FILTER - 1)] = (uint8_t)way;
    in->filtered[place->slot] |= (uint64_t)1 << (line & 63);
}
/* Something else is in this way now, or the line there is clean. */
static inline void filter_forget_way(struct inner *in, uint32_t set, uint32_t way) {
    for (uint32_t i = set & (MEMSYS_FILTER - 1); i < MEMSYS_FILTER; i += in->l1d.sets)
        if (in->ways[i] == way) in->head.filter[i] = in->head.owned[i] = MEMSYS_NOWHERE;
}
/* A load has found its line in this way; with `own`, one that has taken it for itself. */
static inline void load_found(struct inner *in, const struct place *place, uint32_t set, uint32_t way, bool own) {
    /* dirty, and no other has it, which a load cannot tell beside others' */
    bool owned = in->l1d.tags[set * in->l1d.ways + way] & L1_DIRTY && (own || !place->shared);
    filter_enter(in, place, way, owned && in->writing.line != place->pa >> MEMSYS_LINE_SHIFT);
}
static inline void store_found(struct inner *in, const struct place *place, uint32_t set, uint32_t way) {
    in->l1d.tags[set * in->l1d.ways + way] |= L1_DIRTY;
    filter_enter(in, place, way, true);
}
/* Whether the L1I has the line. */
static inline bool code_found(struct inner *in, const struct place *place) {
    uint32_t set = l1_set(&in->l1i, place->va);
    int way = l1_find(&in->l1i, set, place->pa);
    if (way >= 0) code_enter(in, place, set, (uint32_t)way);
    return way >= 0;
}
void memsys_filter_forget_all(struct inner *in);
/* Lines of the page in a place of the micro-TLB of data. */
void memsys_filter_forget_page(struct inner *in, uint32_t slot);

/* ---- The L1D ---- */

/* A line has left it, or is to be clean in it: it goes to the second level. Gives the cycles. */
unsigned memsys_l1d_leaves(const struct memsys_view *view, uint64_t now, uint32_t set, uint32_t tag);
/* The line that stores are writing to is left as it is: what of it was to pass by goes to the second level. Gives the cycles. */
unsigned memsys_stop_writing(const struct memsys_view *view, uint64_t now);

#endif
