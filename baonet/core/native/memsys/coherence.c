#include "coherence.h"
#include "filters.h"

static uint64_t owner_is(unsigned party) { return (uint64_t)(party + 1) << COHERENCE_OWNER_SHIFT; }

/* The word of a place; NULL: there is no other pcpu in the cluster. */
static memsys_word *word_of(const struct memsys_view *view, const struct place *place) {
    return view->cluster ? memsys_cluster_word(view->cluster, place->pa >> MEMSYS_LINE_SHIFT) : NULL;
}

static uint64_t read_word(const memsys_word *word) { return atomic_load_explicit(word, memory_order_relaxed); }

/* Of a line, wherever its virtual address may have put it, no more than these bits of its tag stay. */
static void keep_of_line(struct inner *in, uint64_t pa, uint32_t bits) {
    for (uint32_t set = pa >> MEMSYS_LINE_SHIFT & 63; set < in->l1d.sets; set += 64) {
        int way = l1_find(&in->l1d, set, pa);
        if (way < 0) continue;
        in->l1d.tags[set * in->l1d.ways + (uint32_t)way] &= bits;
        data_forget_way(in, set, (uint32_t)way);
    }
    if (in->writing.line == pa >> MEMSYS_LINE_SHIFT && !in->writing.passing) in->writing = (struct writing){.line = NO_LINE};
}

/* Of a line that another has written to: whatever was here is worth nothing. */
static void lose_line(struct inner *in, uint64_t pa) { keep_of_line(in, pa, 0); }

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

/* What a first level has of a line: nothing, L1_VALID, or L1_DIRTY as well. */
static uint32_t has(const struct inner *in, uint64_t line) {
    uint32_t flags = 0;
    for (uint32_t set = line & 63; set < in->l1d.sets; set += 64) {
        int way = l1_find(&in->l1d, set, line << MEMSYS_LINE_SHIFT);
        if (way >= 0) flags |= in->l1d.tags[set * in->l1d.ways + (uint32_t)way] & (L1_VALID | L1_DIRTY);
    }
    return flags;
}

/* ---- Moves ---- */

static uint64_t move_line(uint64_t move) { return (move & (((uint64_t)1 << MOVE_TURN_SHIFT) - 1)) >> MOVE_BITS; }
/* As a word has it. */
static uint64_t move_turn(uint64_t move) { return move >> MOVE_TURN_SHIFT << COHERENCE_TURN_SHIFT; }
static enum move move_kind(uint64_t move) { return (enum move)(move & ((1u << MOVE_BITS) - 1)); }

static bool is_store(enum move kind) { return kind == MOVE_WRITTEN || kind == MOVE_TAKEN || kind == MOVE_PASSED; }

/* Those that are here. */
static uint64_t count_of(const struct memsys_moves *moves) {
    uint64_t settled = atomic_load_explicit(&moves->settled, memory_order_relaxed);
    return atomic_load_explicit(&moves->written, memory_order_relaxed) - settled;
}

static bool is_full(const struct memsys_moves *moves) { return count_of(moves) >= moves->capacity; }

/* There is room for it. Who reads the number of moves finds the move. */
static void note(struct memsys_moves *moves, uint64_t move) {
    uint64_t written = atomic_load_explicit(&moves->written, memory_order_relaxed);
    moves->moves[count_of(moves)] = move;
    atomic_store_explicit(&moves->written, written + 1, memory_order_release);
}

/* Of a line whose word has this turn. */
static void note_move(const struct memsys_view *view, uint64_t line, enum move kind, uint64_t word) {
    note(view->moves, word >> COHERENCE_TURN_SHIFT << MOVE_TURN_SHIFT | line << MOVE_BITS | kind);
}

/* What the word of a line is after it, but for its turn. */
static uint64_t after_store(unsigned party, bool keeps) {
    return COHERENCE_KNOWN | (keeps ? COHERENCE_HOLDER(party) | owner_is(party) | COHERENCE_HELD : 0);
}

static void add_holder(memsys_word *word, unsigned party) {
    atomic_fetch_or_explicit(word, COHERENCE_HOLDER(party) | COHERENCE_KNOWN, memory_order_relaxed);
}

/* ---- Accesses ---- */

/* Whether there is room for a move; else that is counted, and the line is not kept coherent. */
static bool has_room(const struct memsys_view *view) {
    bool full = is_full(view->moves);
    counting(inner_of(view))->unlogged += full;
    return !full;
}

/* The word of a place of which something is about to be known; NULL also if there is no room for a move. */
static memsys_word *word_to_change(const struct memsys_view *view, const struct place *place) {
    memsys_word *word = word_of(view, place);
    return word && has_room(view) ? word : NULL;
}

bool memsys_coherence_load(const struct memsys_view *view, const struct place *place, bool coming, unsigned *total) {
    memsys_word *word = word_to_change(view, place);
    uint64_t line = place->pa >> MEMSYS_LINE_SHIFT;
    if (!word) return false;
    uint64_t before = read_word(word), owner = before & COHERENCE_OWNER;
    if (!(before & COHERENCE_HOLDER(view->party))) add_holder(word, view->party);
    if (!(has(inner_of(view), line) & L1_DIRTY)) note_move(view, line, MOVE_READ, before);
    bool dirty = owner && owner != owner_is(view->party);
    bool clean = before & COHERENCE_HELD && !coming && !memsys_l2_has(view->l2, line);
    if (!dirty && !clean) return false;
    *total += snooped(view, true);
    return true;
}

bool memsys_coherence_store(const struct memsys_view *view, const struct place *place, bool keeps, unsigned *total) {
    memsys_word *word = word_to_change(view, place);
    uint64_t line = place->pa >> MEMSYS_LINE_SHIFT;
    if (!word) return false;
    uint64_t before = read_word(word), others = before & COHERENCE_HOLDERS & ~COHERENCE_HOLDER(view->party);
    uint64_t owner = before & COHERENCE_OWNER, after = after_store(view->party, keeps);
    if ((before & ~COHERENCE_TURN) != after || (keeps && !(has(inner_of(view), line) & L1_DIRTY))) {
        after |= (before & COHERENCE_TURN) + ((uint64_t)1 << COHERENCE_TURN_SHIFT);
        atomic_store_explicit(word, after, memory_order_relaxed);
        note_move(view, line, !keeps ? MOVE_PASSED : others ? MOVE_TAKEN : MOVE_WRITTEN, after);
    }
    if (others) *total += snooped(view, owner && owner != owner_is(view->party));
    return others;
}

/* Who has noted nothing knows of no such line. */
bool memsys_coherence_leaves(const struct memsys_view *view, uint64_t line) {
    if (!view->cluster || !atomic_load_explicit(&view->moves->written, memory_order_relaxed)) return false;
    const memsys_word *word = memsys_cluster_word(view->cluster, line);
    if (!word || !(read_word(word) & COHERENCE_KNOWN)) return false;
    uint32_t left = has(inner_of(view), line);
    if (!(left & L1_DIRTY) && has_room(view)) note_move(view, line, left ? MOVE_CLEANED : MOVE_LEFT, 0);
    return true;
}

void memsys_coherence_maintain(const struct memsys_view *view, const struct place *place, bool drops) {
    if (!place->shared || !word_to_change(view, place)) return;
    note_move(view, place->pa >> MEMSYS_LINE_SHIFT, drops ? MOVE_FLUSHES : MOVE_CLEANS, 0);
}

/* ---- Elsewhere, and at a window's edge ---- */

size_t memsys_moves_size(uint64_t window) { return sizeof(struct memsys_moves) + memsys_log_capacity(window) * sizeof(uint64_t); }

void memsys_moves_init(struct memsys_moves *moves, uint64_t window) { moves->capacity = memsys_log_capacity(window); }

bool memsys_moves_plausible(const struct memsys_moves *moves, uint64_t window) {
    return moves->capacity == memsys_log_capacity(window) && moves->settled <= moves->written && count_of(moves) <= moves->capacity;
}

/*
 * A load sets its bit in its line's turn, and a store begins one. What is of a turn that has passed has been overwritten. A turn that is
 * known by loads alone has its store to come; here nobody has a right to the line then, who would have been told of it before.
 */
static void repeat(memsys_word *word, unsigned party, uint64_t move) {
    uint64_t before = read_word(word), known = before & COHERENCE_TURN, turn = move_turn(move);
    if (move_kind(move) == MOVE_READ) {
        if (known == turn) add_holder(word, party);
        else if (known < turn) atomic_store_explicit(word, turn | COHERENCE_HOLDER(party) | COHERENCE_KNOWN, memory_order_relaxed);
    } else if (is_store(move_kind(move)) && known <= turn) {
        uint64_t after = turn | after_store(party, move_kind(move) != MOVE_PASSED);
        if (known == turn) after |= before;
        atomic_store_explicit(word, after, memory_order_relaxed);
    }
}

bool memsys_coherence_repeat(struct memsys_cluster *cluster, unsigned party, struct memsys_moves *moves, uint64_t first,
                             const uint64_t *these, uint32_t count) {
    uint64_t known = atomic_load_explicit(&moves->written, memory_order_relaxed);
    if (first > known) return false;
    for (uint64_t i = known - first; i < count; i++) {
        memsys_word *word = memsys_cluster_word(cluster, move_line(these[i]));
        if (is_full(moves)) return false;
        if (word) repeat(word, party, these[i]);
        note(moves, these[i]);
    }
    return true;
}

static bool asks_others(enum move kind) { return kind == MOVE_CLEANS || kind == MOVE_FLUSHES; }

/* Of a line that others have asked to have cleaned or flushed: what was dirty goes to memory when its pcpu begins its next window. */
static void obey(struct inner *in, uint64_t line, bool drops) {
    uint32_t flags = has(in, line);
    if (flags & L1_DIRTY) {
        counting(in)->l1d_writebacks++;
        if (in->due.count < L1_LINES) in->due.lines[in->due.count++] = line << 1 | drops;
    }
    if (drops) lose_line(in, line << MEMSYS_LINE_SHIFT);
    else if (flags & L1_DIRTY) keep_of_line(in, line << MEMSYS_LINE_SHIFT, ~L1_DIRTY);
}

/* Whoever has not the line any more that a party has taken, or passed by. */
static void hear_losses(struct memsys_cluster *cluster, struct memsys *const memsys[], const struct memsys_moves *moves,
                        unsigned parties) {
    for (uint64_t i = 0, count = count_of(moves); i < count; i++) {
        enum move kind = move_kind(moves->moves[i]);
        if (kind != MOVE_TAKEN && kind != MOVE_PASSED) continue;
        uint64_t line = move_line(moves->moves[i]);
        const memsys_word *word = memsys_cluster_word(cluster, line);
        for (unsigned other = 0; word && other < parties; other++)
            if (memsys[other] && !(read_word(word) & COHERENCE_HOLDER(other)))
                lose_line((struct inner *)memsys[other], line << MEMSYS_LINE_SHIFT);
    }
}

static void hear_maintenance(struct memsys_cluster *cluster, struct memsys *const memsys[], const struct memsys_moves *moves,
                             unsigned parties) {
    for (uint64_t i = 0, count = count_of(moves); i < count; i++) {
        enum move kind = move_kind(moves->moves[i]);
        if (!asks_others(kind)) continue;
        uint64_t line = move_line(moves->moves[i]);
        memsys_word *word = memsys_cluster_word(cluster, line);
        if (!word || !(read_word(word) & COHERENCE_KNOWN)) continue;
        uint64_t after = kind == MOVE_FLUSHES ? COHERENCE_KNOWN : read_word(word) & ~COHERENCE_OWNER;
        atomic_store_explicit(word, after, memory_order_relaxed);
        for (unsigned party = 0; party < parties; party++)
            if (memsys[party]) obey((struct inner *)memsys[party], line, kind == MOVE_FLUSHES);
    }
}

void memsys_coherence_hear(struct memsys_cluster *cluster, struct memsys *const memsys[], const struct memsys_moves *const moves[],
                           unsigned parties) {
    for (unsigned i = 0; i < parties; i++) hear_losses(cluster, memsys, moves[i], parties); /* what is lost is nobody's to write back */
    for (unsigned i = 0; i < parties; i++) hear_maintenance(cluster, memsys, moves[i], parties);
}

void memsys_coherence_begin(const struct memsys_view *view, uint64_t now) {
    struct inner *in = inner_of(view);
    for (uint32_t i = 0; i < in->due.count; i++) {
        uint64_t line = in->due.lines[i] >> 1;
        memsys_ask_apart(view, now, ASK_STREAM_PAST, line);
        memsys_ask_apart(view, now, in->due.lines[i] & 1 ? ASK_FLUSH : ASK_CLEAN, line);
    }
    in->due.count = 0;
}

/* By the last move of a line. */
static void settle(memsys_word *word, unsigned party, enum move kind) {
    uint64_t after = (read_word(word) | COHERENCE_SETTLED) & ~COHERENCE_HELD;
    if (kind == MOVE_LEFT || kind == MOVE_PASSED) after &= ~COHERENCE_HOLDER(party);
    if (kind != MOVE_WRITTEN && kind != MOVE_TAKEN && (after & COHERENCE_OWNER) == owner_is(party)) after &= ~COHERENCE_OWNER;
    if (after & COHERENCE_HOLDERS) after |= COHERENCE_HELD;
    atomic_store_explicit(word, after, memory_order_relaxed);
}

void memsys_coherence_settle(struct memsys_cluster *cluster, unsigned party, struct memsys_moves *moves) {
    uint64_t count = count_of(moves);
    for (uint64_t i = count; i--;) {
        if (asks_others(move_kind(moves->moves[i]))) continue;
        memsys_word *word = memsys_cluster_word(cluster, move_line(moves->moves[i]));
        if (word && !(read_word(word) & COHERENCE_SETTLED)) settle(word, party, move_kind(moves->moves[i]));
    }
    for (uint64_t i = 0; i < count; i++) {
        memsys_word *word = memsys_cluster_word(cluster, move_line(moves->moves[i]));
        if (word) atomic_store_explicit(word, read_word(word) & ~(COHERENCE_SETTLED | COHERENCE_TURN), memory_order_relaxed);
    }
    atomic_store_explicit(&moves->settled, atomic_load_explicit(&moves->written, memory_order_relaxed), memory_order_relaxed);
}

void memsys_lose(struct memsys *memsys, uint64_t pa) {
    struct inner *in = (struct inner *)memsys;
    for (uint32_t slot = 0; slot < in->micro[0].entries; slot++)
        if (in->micro[0].held[slot].target >> MEMSYS_PAGE_SHIFT == pa >> MEMSYS_PAGE_SHIFT)
            data_forget_lines(in, in->micro[0].held[slot].key);
    in->written.virtual = MEMSYS_NOWHERE;
}

void memsys_lose_all(struct memsys *memsys) { memsys_data_forget_all((struct inner *)memsys); }
