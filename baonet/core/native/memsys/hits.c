/*
 * Accesses that find all that they need where it is, and of which the filters do not know: since the page has left the micro-TLB and
 * the main TLB has it, or stores have yet to write all of a line. They are most of what the filters let by.
 */
#include "answer.h"
#include "coherence.h"
#include "filters.h"

static inline __attribute__((always_inline)) bool find_place(struct inner *in, uint64_t va, bool fetch, struct place *place,
                                                             unsigned *spent) {
    unsigned refilled;
    int slot = micro_find(in, fetch, va);
    if (slot < 0) {
        slot = micro_refill(in, fetch, va, &refilled);
        *spent += refilled;
    }
    if (slot < 0) return false;
    *place = place_in(in, fetch, slot, va);
    return place->memory == MEMSYS_CACHED;
}

/* The first level has not the line, so the second will be asked: the host may already fetch what it has there. */
static inline bool misses(const struct memsys_view *view, const struct place *place) {
    l2_prefetch(view->l2, place->pa >> MEMSYS_LINE_SHIFT);
    return false;
}

static inline bool load_hits(const struct memsys_view *view, const struct place *place) {
    struct inner *in = inner_of(view);
    const struct memsys_data_page *known = data_enter_page(in, place->va, (uint32_t)place->slot);
    if (!memsys_knows_line(known, place->va, false)) {
        uint32_t set = l1_set(&in->l1d, place->va);
        int way = l1_find(&in->l1d, set, place->pa);
        if (way < 0) return misses(view, place);
        load_found(in, place, set, (uint32_t)way, false);
    }
    counting(in)->loads++;
    return true;
}

/* More of the line that stores write to; false: that would be all of it. */
static inline bool write_on(struct inner *in, uint64_t va, unsigned size) {
    uint64_t bytes = in->writing.bytes | written_bytes(va, size);
    if (!~bytes) return false;
    in->writing.bytes = bytes;
    counting(in)->stores++;
    return true;
}

static inline bool store_hits(const struct memsys_view *view, const struct place *place, unsigned size) {
    struct inner *in = inner_of(view);
    if (place->shared) return false; /* which others may have to hear of */
    const struct memsys_data_page *known = data_enter_page(in, place->va, (uint32_t)place->slot);
    if (!memsys_knows_line(known, place->va, true)) {
        uint64_t line = place->pa >> MEMSYS_LINE_SHIFT;
        if (in->writing.line == line) {
            in->written = (struct written){place->va & ~(uint64_t)(MEMSYS_LINE - 1), line};
            return write_on(in, place->va, size);
        }
        uint32_t set = l1_set(&in->l1d, place->va);
        int way = l1_find(&in->l1d, set, place->pa);
        if (way < 0) return misses(view, place);
        store_found(in, place, set, (uint32_t)way);
    }
    counting(in)->stores++;
    return true;
}

static __attribute__((noinline)) bool find_loaded(const struct memsys_view *view, uint64_t va, unsigned *spent) {
    struct place place;
    if (!find_place(inner_of(view), va, false, &place, spent)) return false;
    coherence_look(view, &place);
    return load_hits(view, &place);
}

static __attribute__((noinline)) bool find_stored(const struct memsys_view *view, uint64_t va, unsigned size, unsigned *spent) {
    struct place place;
    if (!find_place(inner_of(view), va, false, &place, spent)) return false;
    coherence_look(view, &place);
    return store_hits(view, &place, size);
}

bool memsys_hits(const struct memsys_view *view, uint64_t va, unsigned size, bool store, unsigned *spent) {
    struct inner *in = inner_of(view);
    *spent = 0;
    if ((va ^ (va + size - 1)) >> MEMSYS_LINE_SHIFT) return false;
    if (!store) return find_loaded(view, va, spent);
    if ((va & ~(uint64_t)(MEMSYS_LINE - 1)) == in->written.virtual && in->writing.line == in->written.line) return write_on(in, va, size);
    return find_stored(view, va, size, spent);
}

uint64_t memsys_code_hits(const struct memsys_view *view, uint64_t va, unsigned bytes, unsigned *spent) {
    struct inner *in = inner_of(view);
    uint64_t end = va + bytes;
    struct place place;
    *spent = 0;
    for (; va < end; va = (va | (MEMSYS_LINE - 1)) + 1) {
        if (memsys_fetched(view->memsys, va)) continue;
        if (!find_place(in, va, true, &place, spent)) break;
        code_enter_page(in, &place);
        if (!memsys_fetched(view->memsys, va) && !code_found(in, &place) && !misses(view, &place)) break;
    }
    return va < end ? va : end;
}
