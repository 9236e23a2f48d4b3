#include "coherence.h"

static uint64_t owner_is(unsigned party) { return (uint64_t)(party + 1) << COHERENCE_OWNER_SHIFT; }

/* The word of a place; NULL: there is no other pcpu in the cluster. */
static memsys_word *word_of(const struct memsys_view *view, const struct place *place) {
    return view->cluster ? memsys_cluster_word(view->cluster, place->pa >> MEMSYS_LINE_SHIFT) : NULL;
}

static uint64_t read_word(const memsys_word *word) { return atomic_load_explicit(word, memory_order_relaxed); }

/* Of a line that another has written to: whatever was here is worth nothing. */
static void lose_line(struct inner *in, uint64_t pa) {
    for (uint32_t set = pa >> MEMSYS_LINE_SHIFT & 63; set < in->l1d.sets; set += 64) {
        int way = l1_find(&in->l1d, set, pa);
        if (way < 0) continue;
        in->l1d.tags[set * in->l1d.ways + (uint32_t)way] = 0;
        filter_forget_way(in, set, (uint32_t)way);
    }
    if (in->writing.line == pa >> MEMSYS_LINE_SHIFT && !in->writing.passing) in->writing = (struct writing){.line = NO_LINE};
}

void memsys_coherence_look(const struct memsys_view *view, const struct place *place) {
    const memsys_word *word = word_of(view, place);
    if (word && !(read_word(word) & COHERENCE_HOLDER(view->party))) lose_line(inner_of(view), place->pa);
}

static unsigned snooped(const struct memsys_view *view, bool transfer) {
    struct inner *in = inner_of(view);
    unsigned cycles = transfer ? in->head.parameters.snoop_dirty : in->head.parameters.snoop_shared;
    counting(in)->snoops++;
    counting(in)->stalls[MEMSYS_STALL_COHERENCE] += cycles;
    return cycles;
}

/* Likewise, of one that is about to be known. */
static memsys_word *word_to_change(const struct memsys_view *view, const struct place *place) {
    memsys_word *word = word_of(view, place), *shares = word ? memsys_cluster_shares(view->cluster) : NULL;
    if (word && !read_word(shares)) atomic_store_explicit(shares, 1, memory_order_relaxed);
    return word;
}

bool memsys_coherence_load(const struct memsys_view *view, const struct place *place, bool coming, unsigned *total) {
    memsys_word *word = word_to_change(view, place);
    if (!word) return false;
    uint64_t before = read_word(word), owner = before & COHERENCE_OWNER;
    if (!(before & COHERENCE_HOLDER(view->party)))
        atomic_fetch_or_explicit(word, COHERENCE_HOLDER(view->party) | COHERENCE_KNOWN, memory_order_relaxed);
    bool dirty = owner && owner != owner_is(view->party);
    bool clean = before & COHERENCE_HELD && !coming && !memsys_l2_has(view->l2, place->pa >> MEMSYS_LINE_SHIFT);
    if (!dirty && !clean) return false;
    *total += snooped(view, true);
    return true;
}

bool memsys_coherence_store(const struct memsys_view *view, const struct place *place, bool keeps, unsigned *total) {
    memsys_word *word = word_to_change(view, place);
    if (!word) return false;
    uint64_t before = read_word(word), own = COHERENCE_HOLDER(view->party), others = before & COHERENCE_HOLDERS & ~own;
    uint64_t owner = before & COHERENCE_OWNER, after = COHERENCE_KNOWN;
    if (keeps) after |= own | owner_is(view->party) | COHERENCE_HELD;
    if (before != after) atomic_store_explicit(word, after, memory_order_relaxed);
    if (others) *total += snooped(view, owner && owner != owner_is(view->party));
    return others;
}

bool memsys_coherence_knows(const struct memsys_view *view, uint64_t line) {
    const memsys_word *word = view->cluster ? memsys_cluster_word(view->cluster, line) : NULL;
    return word && read_word(word) & COHERENCE_KNOWN;
}

/* What a party has of a line, at the end of a window: nothing, L1_VALID, or L1_DIRTY as well. */
static uint32_t has(const struct inner *in, uint64_t line) {
    uint32_t flags = 0;
    for (uint32_t set = line & 63; set < in->l1d.sets; set += 64) {
        int way = l1_find(&in->l1d, set, line << MEMSYS_LINE_SHIFT);
        if (way >= 0) flags |= in->l1d.tags[set * in->l1d.ways + (uint32_t)way] & (L1_VALID | L1_DIRTY);
    }
    return flags;
}

static void settle_line(memsys_word *word, const struct inner *in, unsigned party, uint64_t line) {
    uint64_t before = read_word(word), after = before & ~COHERENCE_HELD;
    if (before & COHERENCE_HOLDER(party)) {
        uint32_t flags = has(in, line);
        if (!(flags & L1_VALID)) after &= ~COHERENCE_HOLDER(party);
        if (!(flags & L1_DIRTY) && (before & COHERENCE_OWNER) == owner_is(party)) after &= ~COHERENCE_OWNER;
    }
    if (after & COHERENCE_HOLDERS) after |= COHERENCE_HELD;
    if (after != before) atomic_store_explicit(word, after, memory_order_relaxed);
}

void memsys_coherence_settle(struct memsys_cluster *cluster, unsigned party, const struct memsys *memsys, const struct memsys_log *log) {
    if (!read_word(memsys_cluster_shares(cluster))) return; /* it has its words left untouched, and its time */
    for (uint32_t i = 0; i < log->count; i++) {
        struct record record = record_unpack(log->records[i]);
        if (record.request == ASK_FETCH || record.request == ASK_WALK || record.request >= ASK_STREAM) continue;
        memsys_word *word = memsys_cluster_word(cluster, record.line);
        if (word && read_word(word)) settle_line(word, (const struct inner *)memsys, party, record.line);
    }
}

void memsys_lose(struct memsys *memsys, uint64_t pa) {
    struct inner *in = (struct inner *)memsys;
    for (uint32_t slot = 0; slot < in->micro[0].entries; slot++)
        if (in->micro[0].targets[slot] >> MEMSYS_PAGE_SHIFT == pa >> MEMSYS_PAGE_SHIFT) memsys_filter_forget_page(in, 0, slot);
}

void memsys_lose_all(struct memsys *memsys) { memsys_filter_forget_all((struct inner *)memsys); }
