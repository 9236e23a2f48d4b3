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
    struct tlb_entry held[MICRO_ENTRIES];
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
    struct micro micro[2]; /* of data, of instructions */
    struct memsys_page code_of[MEMSYS_CODE_PAGES]; /* of the entries of head.code */
    uint16_t data_places[L1_LINES], code_places[L1_LINES]; /* of each way of an L1: the bit of the filter that tells of it */
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

static inline unsigned spend(struct inner *in, unsigned cycles) {
    counting(in)->stalls[MEMSYS_STALL_TRANSLATION] += cycles;
    return cycles;
}
/* A page was not in a micro-TLB: gives the cycles. */
static inline unsigned micro_missed(struct inner *in, bool fetch) {
    if (fetch) counting(in)->utlb_i_misses++;
    else counting(in)->utlb_d_misses++;
    return spend(in, in->head.parameters.utlb_miss);
}

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
/* Of a page whose accesses are such where caches are enabled: what they are now. */
static inline uint32_t memory_now(const struct inner *in, bool fetch, uint32_t memory) {
    bool disabled = in->head.context & (fetch ? MEMSYS_CODE_UNCACHED : MEMSYS_DATA_UNCACHED);
    return disabled && memory == MEMSYS_CACHED ? MEMSYS_UNCACHED : memory;
}
static inline struct place place_in(const struct inner *in, bool fetch, int slot, uint64_t va) {
    uint64_t target = in->micro[fetch].held[slot].target;
    return (struct place){.va = va,
                          .pa = target_pa(target, va) & (((uint64_t)1 << MEMSYS_ADDRESS_BITS) - 1),
                          .memory = memory_now(in, fetch, target_memory(target, false)),
                          .shared = target & TARGET_SHARED,
                          .slot = slot};
}

/* That a line was asked for ahead was in vain, which no log tells. */
static inline void drop_ahead(struct inner *in, uint64_t line) {
    int at = ahead_find(&in->ahead, line);
    if (at < 0) return;
    ahead_drop(&in->ahead, at);
    in->kept = false;
}

bool memsys_ahead_plausible(const struct ahead *ahead, const struct memsys_parameters *parameters);

/* ---- The first level: of a place that is cached. Each gives the cycles ---- */

/* The L1D has not the line; with `own`, that an atomic operation asks for. A store of `bytes`, a bit for each. */
unsigned memsys_load_missed(const struct memsys_view *view, uint64_t now, const struct place *place, bool own);
unsigned memsys_store_missed(const struct memsys_view *view, uint64_t now, const struct place *place, uint64_t bytes);
/* Whether it has it or not. */
unsigned memsys_store_in(const struct memsys_view *view, uint64_t now, const struct place *place, uint64_t bytes);

/* The L1I has not the line. And of a line of code wherever it may be, also cached or not. */
unsigned memsys_fetch_missed(const struct memsys_view *view, uint64_t now, const struct place *place);
unsigned memsys_fetch_one(const struct memsys_view *view, uint64_t now, uint64_t va);

/* A line has left the L1D, or is to be clean in it: it goes to the second level. Gives the cycles. */
unsigned memsys_l1d_leaves(const struct memsys_view *view, uint64_t now, uint32_t set, uint32_t tag);
/* The line that stores are writing to is left as it is: what of it was to pass by goes to the second level. Gives the cycles. */
unsigned memsys_stop_writing(const struct memsys_view *view, uint64_t now);

#endif
