/*
 * Accesses that find all that they need where it is, and of which the filters do not know: since the page has left the micro-TLB and
 * the main TLB has it, or stores have yet to write all of a line. They are most of what the filters let by. What these have found of
 * an access that misses is where it goes on from.
 */
#include "answer.h"
#include "coherence.h"
#include "filters.h"

/* Adds the cycles to *spent, also where it is false: what is still to be asked for is later by these. */
static inline __attribute__((always_inline)) bool find_place(struct inner *in, uint64_t va, bool fetch, struct place *place,
                                                             unsigned *spent) {
    int slot = micro_find(in, fetch, va);
    if (slot < 0) slot = micro_refill(in, fetch, va, spent);
    if (slot < 0) return false;
    *place = place_in(in, fetch, slot, va);
    return place->memory == MEMSYS_CACHED;
}

/* The first level has not the line, so the second will be asked: the host may already fetch what it has there. */
static inline uint64_t time_of_miss(const struct memsys_view *view, const struct place *place) {
    l2_prefetch(view->l2, place->pa >> MEMSYS_LINE_SHIFT);
    return view->now(view->of);
}

static inline bool is_of_two_lines(uint64_t va, unsigned size) { return (va ^ (va + size - 1)) >> MEMSYS_LINE_SHIFT; }

static __attribute__((noinline)) unsigned ask_for(const struct memsys_view *view, unsigned spent, uint64_t va, unsigned size,
                                                  enum memsys_kind kind) {
    return spent + memsys_data(view, view->now(view->of) + spent, va, size, kind);
}

unsigned memsys_load(const struct memsys_view *view, uint64_t va, unsigned size) {
    struct inner *in = inner_of(view);
    struct place place;
    unsigned spent = 0;
    if (is_of_two_lines(va, size) || !find_place(in, va, false, &place, &spent)) return ask_for(view, spent, va, size, MEMSYS_LOAD);
    coherence_look(view, &place);
    const struct memsys_data_page *known = data_enter_page(in, va, (uint32_t)place.slot);
    counting(in)->loads++;
    if (memsys_knows_line(known, va, false)) return spent;
    uint32_t set = l1_set(&in->l1d, va);
    int way = l1_find(&in->l1d, set, place.pa);
    if (way < 0) return spent + memsys_load_missed(view, time_of_miss(view, &place) + spent, &place, false);
    load_found(in, &place, set, (uint32_t)way, false);
    return spent;
}

/* More of the line that stores write to; false: that would be all of it. */
static inline bool write_on(struct inner *in, uint64_t bytes) {
    bytes |= in->writing.bytes;
    if (!~bytes) return false;
    in->writing.bytes = bytes;
    counting(in)->stores++;
    return true;
}

/* Of a page that others cannot reach. */
static inline unsigned store_own(const struct memsys_view *view, const struct place *place, unsigned spent, uint64_t bytes) {
    struct inner *in = inner_of(view);
    const struct memsys_data_page *known = data_enter_page(in, place->va, (uint32_t)place->slot);
    uint64_t line = place->pa >> MEMSYS_LINE_SHIFT;
    bool knows = memsys_knows_line(known, place->va, true);
    if (!knows && in->writing.line == line) {
        in->written = (struct written){place->va & ~(uint64_t)(MEMSYS_LINE - 1), line};
        if (write_on(in, bytes)) return spent;
        counting(in)->stores++;
        return spent + memsys_store_in(view, view->now(view->of) + spent, place, bytes);
    }
    counting(in)->stores++;
    if (knows) return spent;
    uint32_t set = l1_set(&in->l1d, place->va);
    int way = l1_find(&in->l1d, set, place->pa);
    if (way < 0) return spent + memsys_store_missed(view, time_of_miss(view, place) + spent, place, bytes);
    store_found(in, place, set, (uint32_t)way);
    return spent;
}

static __attribute__((noinline)) unsigned find_stored(const struct memsys_view *view, uint64_t va, unsigned size) {
    struct inner *in = inner_of(view);
    struct place place;
    unsigned spent = 0;
    if (is_of_two_lines(va, size) || !find_place(in, va, false, &place, &spent)) return ask_for(view, spent, va, size, MEMSYS_STORE);
    if (!place.shared) return store_own(view, &place, spent, written_bytes(va, size));
    counting(in)->stores++; /* which others may have to hear of */
    return spent + memsys_store_in(view, view->now(view->of) + spent, &place, written_bytes(va, size));
}

unsigned memsys_store(const struct memsys_view *view, uint64_t va, unsigned size) {
    struct inner *in = inner_of(view);
    bool goes_on = (va & ~(uint64_t)(MEMSYS_LINE - 1)) == in->written.virtual && in->writing.line == in->written.line;
    if (goes_on && !is_of_two_lines(va, size) && write_on(in, written_bytes(va, size))) return 0;
    return find_stored(view, va, size);
}

unsigned memsys_fetch(const struct memsys_view *view, uint64_t va, unsigned bytes) {
    struct inner *in = inner_of(view);
    uint64_t end = va + bytes;
    unsigned spent = 0;
    for (va &= ~(uint64_t)(MEMSYS_LINE - 1); va < end; va += MEMSYS_LINE) {
        struct place place;
        if (memsys_fetched(view->memsys, va)) continue;
        if (!find_place(in, va, true, &place, &spent)) {
            spent += memsys_fetch_one(view, view->now(view->of) + spent, va);
            continue;
        }
        code_enter_page(in, &place);
        if (memsys_fetched(view->memsys, va) || code_found(in, &place)) continue;
        spent += memsys_fetch_missed(view, time_of_miss(view, &place) + spent, &place);
    }
    return spent;
}
