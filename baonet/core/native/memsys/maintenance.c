/* Cache maintenance: by a guest's instructions, and on behalf of other cores. */
#include <string.h>

#include "coherence.h"
#include "filters.h"

static bool drops(enum memsys_maintenance what) { return what == MEMSYS_INVALIDATE || what == MEMSYS_CLEAN_INVALIDATE; }

/* A way of the L1D; what it has is clean, or gone, then. Gives the cycles. */
static unsigned maintain_way(const struct memsys_view *view, uint64_t now, uint32_t set, uint32_t way,
                             enum memsys_maintenance what) {
    struct inner *in = inner_of(view);
    uint32_t *tag = &in->l1d.tags[set * in->l1d.ways + way], before = *tag;
    if (!before || (!drops(what) && !(before & L1_DIRTY))) return 0;
    *tag = drops(what) ? 0 : before & ~L1_DIRTY;
    data_forget_way(in, set, way);
    return memsys_l1d_leaves(view, now, set, before);
}

/* Of a physical line, wherever its virtual address may have put it. */
static unsigned maintain_data(const struct memsys_view *view, uint64_t now, uint64_t pa, enum memsys_maintenance what) {
    struct inner *in = inner_of(view);
    uint64_t line = pa >> MEMSYS_LINE_SHIFT;
    unsigned total = in->writing.line == line ? memsys_stop_writing(view, now) : 0;
    for (uint32_t set = line & 63; set < in->l1d.sets; set += 64) {
        int way = l1_find(&in->l1d, set, pa);
        if (way >= 0) total += maintain_way(view, now + total, set, (uint32_t)way, what);
    }
    if (drops(what)) drop_ahead(in, line);
    return total;
}

static void maintain_code(struct inner *in, uint64_t pa) {
    for (uint32_t set = pa >> MEMSYS_LINE_SHIFT & 63; set < in->l1i.sets; set += 64) {
        int way = l1_find(&in->l1i, set, pa);
        if (way < 0) continue;
        in->l1i.tags[set * in->l1i.ways + (uint32_t)way] = 0;
        code_forget_way(in, set, (uint32_t)way);
    }
}

unsigned memsys_maintain(const struct memsys_view *view, uint64_t now, uint64_t va, enum memsys_maintenance what) {
    struct inner *in = inner_of(view);
    struct place place;
    unsigned total = 0;
    if (!translate(view, now, va, false, &place, &total)) return total;
    /* whatever its attributes are, with stage 1 and caches off, too (Arm ARM D7.5): what they have from before is there */
    if (what == MEMSYS_CODE) {
        maintain_code(in, place.pa);
        return total;
    }
    total += maintain_data(view, now + total, place.pa, what);
    if (what == MEMSYS_CLEAN_UNIFICATION) return total;
    memsys_coherence_maintain(view, &place, drops(what));
    enum request request = drops(what) ? ASK_FLUSH : ASK_CLEAN;
    return total + memsys_ask(view, now + total, request, place.pa >> MEMSYS_LINE_SHIFT, MEMSYS_STALL_MAINTENANCE);
}

void memsys_forget(const struct memsys_view *view, uint64_t now, uint64_t pa, uint64_t bytes, enum memsys_maintenance what) {
    struct memsys_counters *counters = counting(inner_of(view));
    uint64_t stalls[MEMSYS_CAUSES];
    memcpy(stalls, counters->stalls, sizeof stalls);
    for (uint64_t line = pa & ~(uint64_t)(MEMSYS_LINE - 1); line < pa + bytes; line += MEMSYS_LINE) {
        if (what == MEMSYS_CODE) maintain_code(inner_of(view), line);
        else maintain_data(view, now, line, what);
    }
    memcpy(counters->stalls, stalls, sizeof stalls); /* it is not this pcpu that waits */
}

unsigned memsys_maintain_way(const struct memsys_view *view, uint64_t now, unsigned level, uint32_t set, uint32_t way,
                             enum memsys_maintenance what) {
    struct inner *in = inner_of(view);
    if (level == 2) {
        uint64_t which = (uint64_t)(way & (CACHE_WAYS - 1)) << WAY_SHIFT | (set & ((1u << WAY_SHIFT) - 1));
        return memsys_ask(view, now, ASK_WAY, which | (drops(what) ? 0 : WAY_CLEAN), MEMSYS_STALL_MAINTENANCE);
    }
    if (set >= in->l1d.sets || way >= in->l1d.ways) return 0;
    return maintain_way(view, now, set, way, what);
}

void memsys_forget_code(struct memsys *memsys) {
    struct inner *in = (struct inner *)memsys;
    memset(in->l1i.tags, 0, sizeof in->l1i.tags);
    memsys_code_forget_all(in);
}

void memsys_reset(const struct memsys_view *view, uint64_t now) {
    struct inner *in = inner_of(view);
    memsys_stop_writing(view, now);
    for (uint32_t set = 0; set < in->l1d.sets; set++)
        for (uint32_t way = 0; way < in->l1d.ways; way++) maintain_way(view, now, set, way, MEMSYS_CLEAN_INVALIDATE);
    ahead_init(&in->ahead, &in->head.parameters);
    in->kept = false;
    prefetcher_init(&in->prefetcher);
    memsys_tlbi(view->memsys, MEMSYS_TLBI_ALL, 0, 0);
    memsys_forget_code(view->memsys);
}
