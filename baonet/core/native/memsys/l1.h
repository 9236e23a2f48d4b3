/*
 * A first-level cache: virtually indexed, physically tagged, with pseudo-random victims, so that a hit has no state.
 *
 * A tag is the physical page and flags: within a page, the index is the physical line.
 */
#ifndef BAONET_MEMSYS_L1_H
#define BAONET_MEMSYS_L1_H

#include <stdint.h>

#include "parameters.h"

#define CACHE_WAYS 16u
#define L1_LINES 1024u
#define L1_WAY_MOST 32768u /* bytes */

#define L1_VALID 1u
#define L1_DIRTY 2u
#define L1_TAG(pa) ((uint32_t)((pa) >> MEMSYS_PAGE_SHIFT) << 4)

struct l1 {
    uint32_t sets, ways, random, reserved;
    uint32_t tags[L1_LINES]; /* by set, then way; 0: nothing */
};

/* Both are linear congruential (Knuth's constants); the high bits choose. */
static inline uint32_t pseudo_random(uint32_t *state, uint32_t below) {
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)*state * below >> 32);
}

static inline void l1_init(struct l1 *cache, uint32_t size, uint32_t ways) {
    *cache = (struct l1){.sets = (size / ways) >> MEMSYS_LINE_SHIFT, .ways = ways, .random = 1};
}

static inline uint32_t l1_set(const struct l1 *cache, uint64_t va) { return va >> MEMSYS_LINE_SHIFT & (cache->sets - 1); }

/* One way at most has a line: without a branch for each. */
static inline int l1_find_of_four(const uint32_t *tags, uint32_t tag) {
    typedef uint32_t lanes __attribute__((vector_size(16), aligned(4), may_alias));
    typedef float floats __attribute__((vector_size(16)));
    int found = __builtin_ia32_movmskps((floats)((*(const lanes *)tags & ~L1_DIRTY) == tag));
    return __builtin_ctz((unsigned)found | 16) - (found ? 0 : 5);
}

/* The way of a set that has a line; -1: none. */
static inline int l1_find(const struct l1 *cache, uint32_t set, uint64_t pa) {
    const uint32_t *tags = cache->tags + set * cache->ways;
    uint32_t tag = L1_TAG(pa) | L1_VALID;
    if (cache->ways == 4) return l1_find_of_four(tags, tag);
    int found = -1;
    for (uint32_t way = 0; way < cache->ways; way++) found = (tags[way] & ~L1_DIRTY) == tag ? (int)way : found;
    return found;
}

/* Gives the tag that a line of this set has driven out; 0: none. */
static inline uint32_t l1_fill(struct l1 *cache, uint32_t set, uint64_t pa, uint32_t flags, uint32_t *way) {
    uint32_t *tags = cache->tags + set * cache->ways;
    for (*way = 0; *way < cache->ways && tags[*way]; ++*way) {}
    if (*way == cache->ways) *way = pseudo_random(&cache->random, cache->ways);
    uint32_t victim = tags[*way];
    tags[*way] = L1_TAG(pa) | L1_VALID | flags;
    return victim;
}

/* The physical line of a tag of a set. */
static inline uint64_t l1_line(uint32_t tag, uint32_t set) {
    return (uint64_t)(tag >> 4) << (MEMSYS_PAGE_SHIFT - MEMSYS_LINE_SHIFT) | (set & 63);
}

#endif
