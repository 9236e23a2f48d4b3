/*
 * What a second level answers. It is asked several times for each miss of the first, so this is part of whoever asks: an answer
 * goes through registers, and not piece by piece through memory.
 */
#ifndef BAONET_MEMSYS_ANSWER_H
#define BAONET_MEMSYS_ANSWER_H

#include "l1.h"
#include "l2.h"

#define GROUP 64u /* sets; a second level has that many at least */

struct l2_set {
    uint64_t changed;
    uint32_t random, reserved;
};

static inline struct l2_set *l2_sets(const struct memsys_l2 *l2) { return (struct l2_set *)((uint32_t *)l2->tags + (size_t)l2->sets * l2->row); }
static inline uint64_t *l2_groups(const struct memsys_l2 *l2) { return (uint64_t *)(l2_sets(l2) + l2->sets); }
static inline uint64_t *l2_last(const struct memsys_l2 *l2) { return l2_groups(l2) + l2->sets / GROUP; }

static inline void l2_touch_set(struct memsys_l2 *l2, uint32_t set) {
    uint64_t *group = l2_groups(l2) + set / GROUP, *last = l2_last(l2) + set / GROUP;
    l2_sets(l2)[set].changed = l2->window;
    *last = (*group == l2->window ? *last : 0) | (uint64_t)1 << set % GROUP;
    *group = l2->window;
}

static inline uint64_t l2_line_of(const struct memsys_l2 *l2, uint32_t tag, uint32_t set) {
    return (uint64_t)(tag >> 4) << l2->set_bits | set;
}

static inline uint32_t *l2_row(struct memsys_l2 *l2, uint32_t set) { return l2->tags + (size_t)set * l2->row; }

/* The host is told that the set of a line will be wanted. */
static inline void l2_prefetch(const struct memsys_l2 *l2, uint64_t line) {
    __builtin_prefetch(l2->tags + (size_t)(line & (l2->sets - 1)) * l2->row, 1);
}

/* The way with a tag, dirty or not, of so many; -1: none. One at most has it: without a branch for each. */
static inline __attribute__((always_inline)) int l2_find_of(const uint32_t *tags, uint32_t tag, uint32_t ways) {
    typedef uint32_t lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
    lanes found = {0}, numbers = {1, 2, 3, 4};
#pragma GCC unroll 4
    for (uint32_t way = 0; way < ways; way += LANES, numbers += LANES)
        found |= (lanes)((*(const lanes *)(tags + way) & ~L2_DIRTY) == tag) & numbers;
    found |= __builtin_shuffle(found, (lanes){2, 3, 0, 1});
    return (int)(found[0] | found[1]) - 1;
}

/* Most second levels have 16 ways: a loop whose length is known is none. */
static inline int l2_find(const struct memsys_l2 *l2, uint32_t set, uint32_t tag) {
    const uint32_t *tags = l2->tags + (size_t)set * l2->row;
    return l2->row == CACHE_WAYS ? l2_find_of(tags, tag, CACHE_WAYS) : l2_find_of(tags, tag, l2->row);
}

static inline void l2_put(struct memsys_l2 *l2, uint32_t set, uint32_t tag, bool dirty, struct answer *answer) {
    uint32_t *tags = l2_row(l2, set), way = l2_find(l2, set, 0) < 0 ? l2->ways : 0;
    while (way < l2->ways && tags[way]) way++;
    if (way == l2->ways) {
        way = pseudo_random(&l2_sets(l2)[set].random, l2->ways);
        answer->victim = l2_line_of(l2, tags[way], set);
        answer->writeback = tags[way] & L2_DIRTY;
    }
    tags[way] = tag | (dirty ? L2_DIRTY : 0);
    l2_touch_set(l2, set);
}

static inline void l2_clean_way(struct memsys_l2 *l2, uint32_t set, uint32_t way, bool flush, struct answer *answer) {
    uint32_t *tag = l2_row(l2, set) + way;
    if (!*tag || (!flush && !(*tag & L2_DIRTY))) return;
    answer->writeback = *tag & L2_DIRTY;
    if (flush) answer->victim = l2_line_of(l2, *tag, set);
    *tag = flush ? 0 : *tag & ~L2_DIRTY;
    l2_touch_set(l2, set);
}

/* What a request does to a line. */
enum {
    ALLOCATES = 1,      /* if it is not there */
    FROM_FIRST = 2,     /* not if lines come only when they leave the first level */
    DIRTIES = 4,
};
static const uint8_t l2_does[16] = {
    [ASK_LOAD] = ALLOCATES | FROM_FIRST,
    [ASK_STORE] = ALLOCATES | FROM_FIRST,
    [ASK_PREFETCH] = ALLOCATES | FROM_FIRST,
    [ASK_FETCH] = ALLOCATES,
    [ASK_WALK] = ALLOCATES,
    [ASK_WRITEBACK] = ALLOCATES | DIRTIES,
    [ASK_VICTIM] = ALLOCATES,
    [ASK_STREAM] = ALLOCATES | DIRTIES,
    [ASK_STREAM_PAST] = DIRTIES,
    [ASK_MERGE] = ALLOCATES | DIRTIES,
};

static inline uint32_t l2_tag_of(const struct memsys_l2 *l2, uint64_t line) {
    return (uint32_t)(line >> l2->set_bits) << 4 | L2_VALID;
}

static inline bool l2_has(const struct memsys_l2 *l2, uint64_t line) {
    return l2_find(l2, line & (l2->sets - 1), l2_tag_of(l2, line)) >= 0;
}

static inline __attribute__((always_inline)) struct answer l2_ask(struct memsys_l2 *l2, enum request request, uint64_t line) {
    struct answer answer = {.victim = NO_LINE};
    if (request == ASK_USE || request == ASK_UNCACHED_LOAD || request == ASK_UNCACHED_STORE) return answer;
    if (request == ASK_VICTIM && !l2->on_eviction) return answer;
    uint32_t set = line & (l2->sets - 1);
    if (request == ASK_WAY) {
        uint32_t way = line >> WAY_SHIFT & (CACHE_WAYS - 1);
        if (way < l2->ways) l2_clean_way(l2, set, way, !(line & WAY_CLEAN), &answer);
        return answer;
    }
    uint32_t tag = l2_tag_of(l2, line);
    int way = l2_find(l2, set, tag);
    answer.hit = way >= 0;
    if (request == ASK_CLEAN || request == ASK_FLUSH) {
        if (way >= 0) l2_clean_way(l2, set, (uint32_t)way, request == ASK_FLUSH, &answer);
    } else if (way >= 0) {
        uint32_t *held = l2_row(l2, set) + way;
        if (l2_does[request] & DIRTIES && !(*held & L2_DIRTY)) {
            *held |= L2_DIRTY;
            l2_touch_set(l2, set);
        }
    } else if (l2_does[request] & ALLOCATES && !(l2_does[request] & FROM_FIRST && l2->on_eviction)) {
        l2_put(l2, set, tag, l2_does[request] & DIRTIES, &answer);
    }
    return answer;
}

#endif
