#include "hierarchy.h"

#include <string.h>

#include "coherence.h"
#include "filters.h"

#define ALL_BYTES UINT64_MAX

size_t memsys_size(const struct memsys_parameters *parameters) {
    (void)parameters;
    return sizeof(struct inner);
}

static void tlb_init(struct tlb_sets *tlb, uint32_t entries, uint32_t ways) {
    tlb->sets = entries / ways;
    tlb->ways = ways;
}

void memsys_init(struct memsys *memsys, const struct memsys_parameters *p) {
    struct inner *in = (struct inner *)memsys;
    memset(in, 0, sizeof *in);
    in->head.parameters = *p;
    l1_init(&in->l1i, p->l1i_size, p->l1i_ways);
    l1_init(&in->l1d, p->l1d_size, p->l1d_ways);
    tlb_init(&in->tlb, p->tlb_entries, p->tlb_ways);
    tlb_init(&in->walk, p->walk_cache_entries, p->walk_cache_ways);
    tlb_init(&in->ipa, p->ipa_cache_entries, p->ipa_cache_ways);
    for (unsigned side = 0; side < 2; side++) {
        in->micro[side].entries = side ? p->utlb_instruction : p->utlb_data;
        for (uint32_t i = 0; i < MICRO_ENTRIES; i++) in->micro[side].held[i].key = NO_KEY;
    }
    in->writing.line = NO_LINE;
    prefetcher_init(&in->prefetcher);
    ahead_init(&in->ahead, p);
    for (unsigned i = 0; i < MEMSYS_DATA_PAGES; i++) in->head.data[i].page = MEMSYS_NOWHERE;
    in->written.virtual = MEMSYS_NOWHERE;
    memsys_code_forget_all(in);
}

/* ---- Lines that come into the L1D, and leave it ---- */

unsigned memsys_l1d_leaves(const struct memsys_view *view, uint64_t now, uint32_t set, uint32_t tag) {
    struct inner *in = inner_of(view);
    uint64_t line = l1_line(tag, set);
    if (in->writing.line == line && !in->writing.passing) in->writing = (struct writing){.line = NO_LINE};
    bool known = memsys_coherence_leaves(view, line);
    if (tag & L1_DIRTY) {
        counting(in)->l1d_writebacks++;
        return memsys_ask(view, now, ASK_WRITEBACK, line, MEMSYS_STALL_STORE);
    }
    if (!in->head.parameters.l2_on_eviction && !known) return 0;
    return memsys_ask(view, now, ASK_VICTIM, line, MEMSYS_STALL_STORE);
}

/*
 * What follows from a miss (the victim's leave, lines that are asked for ahead) begins when the miss does, not when the line
 * has come: requests at a time of their own, in their order, are what the channel can serve.
 */

/* Puts a line that has come, with these flags, into the L1D: *way. Gives the cycles that its victim takes. */
static unsigned fill(const struct memsys_view *view, uint64_t now, const struct place *place, uint32_t flags, uint32_t *way) {
    struct inner *in = inner_of(view);
    uint32_t set = l1_set(&in->l1d, place->va), victim = l1_fill(&in->l1d, set, place->pa, flags, way);
    data_forget_way(in, set, *way);
    return victim ? memsys_l1d_leaves(view, now, set, victim) : 0;
}

/* ---- Lines ahead ---- */

static void prefetch(const struct memsys_view *view, uint64_t now, uint64_t va, uint64_t pa) {
    struct inner *in = inner_of(view);
    uint64_t line = pa >> MEMSYS_LINE_SHIFT, lost;
    if (l1_find(&in->l1d, l1_set(&in->l1d, va), pa) >= 0 || ahead_find(&in->ahead, line) >= 0 || ahead_full(&in->ahead, now)) return;
    counting(in)->prefetches++;
    uint64_t ready = now + memsys_ask_apart(view, now, ASK_PREFETCH, line);
    ahead_add(&in->ahead, line, ready, &lost);
    if (lost != NO_LINE && in->head.parameters.l2_on_eviction) memsys_ask_apart(view, now, ASK_VICTIM, lost);
}

static void see_miss(const struct memsys_view *view, uint64_t now, const struct place *place) {
    struct inner *in = inner_of(view);
    uint64_t lines[AHEAD_LINES], line = place->pa >> MEMSYS_LINE_SHIFT;
    uint32_t count = memsys_prefetcher_see(&in->prefetcher, &in->head.parameters, line, lines);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t distance = (lines[i] - line) << MEMSYS_LINE_SHIFT;
        prefetch(view, now, place->va + distance, place->pa + distance);
    }
}

/* A line that is wanted and was asked for ahead: false: it was not. Adds how long it is still under way to *total. */
static bool take_ahead(const struct memsys_view *view, uint64_t now, uint64_t line, unsigned *total) {
    struct inner *in = inner_of(view);
    int at = ahead_find(&in->ahead, line);
    if (at < 0) return false;
    unsigned late = in->ahead.ready[at] > now ? (unsigned)(in->ahead.ready[at] - now) : 0;
    memsys_ask_apart(view, now, ASK_USE, line);
    ahead_drop(&in->ahead, at);
    counting(in)->prefetches_used++;
    counting(in)->stalls[MEMSYS_STALL_DATA] += late;
    *total += late;
    return true;
}

/* ---- Loads ---- */

/* The first level has not the line: brings it, from wherever it is. Gives the cycles. */
static unsigned bring(const struct memsys_view *view, uint64_t now, const struct place *place, bool own) {
    struct inner *in = inner_of(view);
    uint64_t line = place->pa >> MEMSYS_LINE_SHIFT;
    unsigned total = 0;
    bool from_another = own ? coherence_store(view, place, true, &total)
                            : coherence_load(view, place, ahead_find(&in->ahead, line) >= 0, &total);
    if (from_another) {
        drop_ahead(in, line);
        counting(in)->l1d_misses++;
    } else if (!take_ahead(view, now, line, &total)) {
        counting(in)->l1d_misses++;
        total += memsys_ask(view, now, ASK_LOAD, line, MEMSYS_STALL_DATA);
    }
    return total;
}

static unsigned stop_passing(const struct memsys_view *view, uint64_t now, const struct place *place) {
    const struct writing *writing = &inner_of(view)->writing;
    return writing->line == place->pa >> MEMSYS_LINE_SHIFT && writing->passing ? memsys_stop_writing(view, now) : 0;
}

unsigned memsys_load_missed(const struct memsys_view *view, uint64_t now, const struct place *place, bool own) {
    struct inner *in = inner_of(view);
    uint32_t way;
    unsigned total = stop_passing(view, now, place);
    total += bring(view, now, place, own);
    total += fill(view, now, place, own ? L1_DIRTY : 0, &way);
    see_miss(view, now, place);
    load_found(in, place, l1_set(&in->l1d, place->va), way, own);
    return total;
}

/* With `own`, an atomic. */
static unsigned load(const struct memsys_view *view, uint64_t now, const struct place *place, bool own) {
    struct inner *in = inner_of(view);
    struct l1 *cache = &in->l1d;
    uint32_t set = l1_set(cache, place->va);
    coherence_look(view, place);
    int way = l1_find(cache, set, place->pa);
    if (way < 0) return memsys_load_missed(view, now, place, own);
    unsigned total = stop_passing(view, now, place);
    if (own) coherence_store(view, place, true, &total);
    if (own) cache->tags[set * cache->ways + (uint32_t)way] |= L1_DIRTY;
    load_found(in, place, set, (uint32_t)way, own);
    return total;
}

/* ---- Stores, and write streaming ---- */

unsigned memsys_stop_writing(const struct memsys_view *view, uint64_t now) {
    struct inner *in = inner_of(view);
    struct writing left = in->writing;
    in->writing = (struct writing){.line = NO_LINE};
    if (left.line == NO_LINE || !left.passing) return 0;
    return memsys_ask(view, now, ASK_MERGE, left.line, MEMSYS_STALL_STORE);
}

/* All of the line has been written. */
static unsigned full_line(const struct memsys_view *view, uint64_t now, const struct place *place) {
    struct inner *in = inner_of(view);
    const struct memsys_parameters *p = &in->head.parameters;
    struct writing done = in->writing;
    in->writing = (struct writing){.line = NO_LINE, .full = done.full < UINT32_MAX ? done.full + 1 : done.full};
    if (done.passing) {
        bool past = p->streaming_l2 && done.full >= p->streaming_l2;
        counting(in)->streamed++;
        return memsys_ask(view, now, past ? ASK_STREAM_PAST : ASK_STREAM, done.line, MEMSYS_STALL_STORE);
    }
    int way = l1_find(&in->l1d, l1_set(&in->l1d, place->va), place->pa);
    if (way >= 0) data_enter(in, place, l1_set(&in->l1d, place->va), (uint32_t)way, true);
    return 0;
}

/* Whoever meets the line that stores write to, by another virtual address in another set, is to ask. */
static void forget_elsewhere(struct inner *in, uint32_t set, uint64_t pa) {
    for (uint32_t other = set & 63; other < in->l1d.sets; other += 64) {
        int way = other == set ? -1 : l1_find(&in->l1d, other, pa);
        if (way >= 0) data_forget_way(in, other, (uint32_t)way);
    }
}

unsigned memsys_store_missed(const struct memsys_view *view, uint64_t now, const struct place *place, uint64_t bytes) {
    struct inner *in = inner_of(view);
    const struct memsys_parameters *p = &in->head.parameters;
    uint64_t line = place->pa >> MEMSYS_LINE_SHIFT;
    unsigned total = in->writing.line != NO_LINE ? memsys_stop_writing(view, now) : 0;
    uint32_t way;
    bool passing = p->streaming_l1 && in->writing.full >= p->streaming_l1 && ahead_find(&in->ahead, line) < 0;
    bool from_another = coherence_store(view, place, !passing, &total);
    if (from_another) drop_ahead(in, line);
    if (take_ahead(view, now, line, &total)) {
        total += fill(view, now, place, L1_DIRTY, &way);
        data_enter(in, place, l1_set(&in->l1d, place->va), way, true);
        return total;
    }
    counting(in)->l1d_misses++;
    if (!passing) {
        if (bytes != ALL_BYTES && !from_another) total += memsys_ask(view, now, ASK_STORE, line, MEMSYS_STALL_STORE);
        total += fill(view, now, place, L1_DIRTY, &way);
        data_enter(in, place, l1_set(&in->l1d, place->va), way, false);
    }
    forget_elsewhere(in, l1_set(&in->l1d, place->va), place->pa);
    in->writing = (struct writing){.line = line, .bytes = bytes, .full = in->writing.full, .passing = passing};
    return bytes == ALL_BYTES ? total + full_line(view, now, place) : total;
}

unsigned memsys_store_in(const struct memsys_view *view, uint64_t now, const struct place *place, uint64_t bytes) {
    struct inner *in = inner_of(view);
    uint64_t line = place->pa >> MEMSYS_LINE_SHIFT;
    unsigned total = 0;
    coherence_look(view, place);
    if (in->writing.line == line) {
        coherence_store(view, place, !in->writing.passing, &total);
        in->writing.bytes |= bytes;
        return in->writing.bytes == ALL_BYTES ? total + full_line(view, now, place) : total;
    }
    uint32_t set = l1_set(&in->l1d, place->va);
    int way = l1_find(&in->l1d, set, place->pa);
    if (way < 0) return memsys_store_missed(view, now, place, bytes);
    coherence_store(view, place, true, &total);
    store_found(in, place, set, (uint32_t)way);
    return total;
}

/* ---- Accesses ---- */

static unsigned uncached(const struct memsys_view *view, uint64_t now, const struct place *place, enum memsys_kind kind) {
    struct inner *in = inner_of(view);
    const struct memsys_parameters *p = &in->head.parameters;
    bool write = kind == MEMSYS_STORE || kind == MEMSYS_ZERO;
    if (kind == MEMSYS_PREFETCH) return 0;
    counting(in)->uncached++;
    if (place->memory == MEMSYS_UNCACHED) {
        return memsys_ask(view, now, write ? ASK_UNCACHED_STORE : ASK_UNCACHED_LOAD, place->pa >> MEMSYS_LINE_SHIFT,
                          MEMSYS_STALL_DEVICE);
    }
    unsigned cycles = write ? p->device_store : p->device_load;
    counting(in)->stalls[MEMSYS_STALL_DEVICE] += cycles;
    return cycles;
}

/* Within one line. */
static unsigned in_line(const struct memsys_view *view, uint64_t now, const struct place *place, unsigned size,
                        enum memsys_kind kind) {
    if (place->memory != MEMSYS_CACHED) return uncached(view, now, place, kind);
    switch (kind) {
    case MEMSYS_LOAD:
    case MEMSYS_ATOMIC:
        return load(view, now, place, kind == MEMSYS_ATOMIC);
    case MEMSYS_ZERO:
        return memsys_store_in(view, now, place, ALL_BYTES);
    case MEMSYS_STORE:
        return memsys_store_in(view, now, place, written_bytes(place->va, size));
    default:
        prefetch(view, now, place->va, place->pa);
        return 0;
    }
}

/* Whether an address of data needs no walk; adds the cycles of its page's coming into the micro-TLB. */
static bool translated(struct inner *in, uint64_t va, unsigned *total) {
    return micro_find(in, false, va) >= 0 || micro_refill(in, false, va, total) >= 0;
}

unsigned memsys_data(const struct memsys_view *view, uint64_t now, uint64_t va, unsigned size, enum memsys_kind kind) {
    struct memsys_counters *counters = counting(inner_of(view));
    unsigned total = 0;
    if (kind == MEMSYS_PREFETCH && !translated(inner_of(view), va, &total)) return 0;
    counters->loads += kind == MEMSYS_LOAD || kind == MEMSYS_ATOMIC;
    counters->stores += kind == MEMSYS_STORE || kind == MEMSYS_ATOMIC || kind == MEMSYS_ZERO;
    while (size) {
        unsigned rest = MEMSYS_LINE - (unsigned)(va & (MEMSYS_LINE - 1)), part = size < rest ? size : rest;
        struct place place;
        unsigned spent;
        bool found = translate(view, now + total, va, false, &place, &spent);
        total += spent;
        if (found) total += in_line(view, now + total, &place, part, kind);
        va += part;
        size -= part;
    }
    return total;
}

unsigned memsys_fetch_missed(const struct memsys_view *view, uint64_t now, const struct place *place) {
    struct inner *in = inner_of(view);
    uint32_t set = l1_set(&in->l1i, place->va), way;
    counting(in)->l1i_misses++;
    l1_fill(&in->l1i, set, place->pa, 0, &way);
    code_forget_way(in, set, way);
    code_enter(in, place, set, way);
    return memsys_ask(view, now, ASK_FETCH, place->pa >> MEMSYS_LINE_SHIFT, MEMSYS_STALL_FETCH);
}

static unsigned fetch_line(const struct memsys_view *view, uint64_t now, const struct place *place) {
    if (place->memory != MEMSYS_CACHED) return uncached(view, now, place, MEMSYS_LOAD);
    return code_found(inner_of(view), place) ? 0 : memsys_fetch_missed(view, now, place);
}

unsigned memsys_fetch_one(const struct memsys_view *view, uint64_t now, uint64_t va) {
    struct place place;
    unsigned spent;
    bool found = translate(view, now, va, true, &place, &spent);
    return found ? spent + fetch_line(view, now + spent, &place) : spent;
}

unsigned memsys_touch(const struct memsys_view *view, uint64_t now, const uint64_t *addresses, unsigned count,
                      enum memsys_touch kind) {
    struct memsys *memsys = view->memsys;
    uint32_t before = memsys->hypervisor;
    unsigned total = 0;
    memsys->hypervisor = 1;
    struct memsys_counters *counters = counting(inner_of(view));
    for (unsigned i = 0; i < count; i++) {
        struct place place = {.va = addresses[i], .pa = addresses[i], .memory = MEMSYS_CACHED, .slot = -1};
        if (kind == MEMSYS_TOUCH_FETCH) {
            total += fetch_line(view, now + total, &place);
        } else if (kind == MEMSYS_TOUCH_LOAD) {
            counters->loads++;
            total += load(view, now + total, &place, false);
        } else {
            counters->stores++;
            total += memsys_store_in(view, now + total, &place, (uint64_t)0xff << (addresses[i] & (MEMSYS_LINE - 8)));
        }
    }
    memsys->hypervisor = before;
    return total;
}
