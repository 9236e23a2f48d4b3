#include "l2.h"

#include <string.h>

#include "l1.h"

#define GROUP 64u /* sets; a second level has that many at least */

static uint32_t *randoms(const struct memsys_l2 *l2) { return (uint32_t *)l2->tags + (size_t)l2->sets * l2->row; }
static uint32_t row_of(uint32_t ways) { return (ways + LANES - 1) & ~(LANES - 1); }
static uint64_t *changed(const struct memsys_l2 *l2) { return (uint64_t *)(randoms(l2) + l2->sets); }
static uint64_t *groups(const struct memsys_l2 *l2) { return changed(l2) + l2->sets; }

size_t memsys_l2_size(const struct memsys_parameters *p) {
    size_t sets = (p->l2_size >> MEMSYS_LINE_SHIFT) / p->l2_ways;
    size_t size = sizeof(struct memsys_l2) + sets * row_of(p->l2_ways) * 4 + sets * 4 + sets * 8 + sets / GROUP * 8;
    return (size + 63) & ~(size_t)63;
}

static void lay_out(struct memsys_l2 *l2, const struct memsys_parameters *p) {
    l2->sets = (p->l2_size / p->l2_ways) >> MEMSYS_LINE_SHIFT;
    l2->ways = p->l2_ways;
    l2->row = row_of(p->l2_ways);
    l2->on_eviction = p->l2_on_eviction;
    l2->set_bits = (uint32_t)__builtin_ctz(l2->sets);
}

bool memsys_l2_plausible(const struct memsys_l2 *l2, const struct memsys_parameters *p) {
    struct memsys_l2 like = {.window = l2->window};
    lay_out(&like, p);
    return !memcmp(&like, l2, sizeof like);
}

void memsys_l2_init(struct memsys_l2 *l2, const struct memsys_parameters *p) {
    memset(l2, 0, memsys_l2_size(p));
    lay_out(l2, p);
    for (uint32_t set = 0; set < l2->sets; set++) randoms(l2)[set] = set * 2654435761u + 1;
}

static inline void touch_set(struct memsys_l2 *l2, uint32_t set) {
    changed(l2)[set] = l2->window;
    groups(l2)[set / GROUP] = l2->window;
}

static inline uint64_t line_of(const struct memsys_l2 *l2, uint32_t tag, uint32_t set) {
    return (uint64_t)(tag >> 4) << l2->set_bits | set;
}

static uint32_t *row(struct memsys_l2 *l2, uint32_t set) { return l2->tags + (size_t)set * l2->row; }

/* One way at most has a line: without a branch for each. */
static inline int find(const struct memsys_l2 *l2, uint32_t set, uint32_t tag) {
    typedef uint32_t lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
    const uint32_t *tags = l2->tags + (size_t)set * l2->row;
    lanes found = {0}, numbers = {1, 2, 3, 4};
    for (uint32_t way = 0; way < l2->row; way += LANES, numbers += LANES)
        found |= (lanes)((*(const lanes *)(tags + way) & ~L2_DIRTY) == tag) & numbers;
    return (int)(found[0] | found[1] | found[2] | found[3]) - 1;
}

static void put(struct memsys_l2 *l2, uint32_t set, uint32_t tag, bool dirty, struct answer *answer) {
    uint32_t *tags = row(l2, set), way = 0;
    while (way < l2->ways && tags[way]) way++;
    if (way == l2->ways) {
        way = pseudo_random(&randoms(l2)[set], l2->ways);
        answer->victim = line_of(l2, tags[way], set);
        answer->writeback = tags[way] & L2_DIRTY;
    }
    tags[way] = tag | (dirty ? L2_DIRTY : 0);
    touch_set(l2, set);
}

static void clean_way(struct memsys_l2 *l2, uint32_t set, uint32_t way, bool flush, struct answer *answer) {
    uint32_t *tag = row(l2, set) + way;
    if (!*tag || (!flush && !(*tag & L2_DIRTY))) return;
    answer->writeback = *tag & L2_DIRTY;
    if (flush) answer->victim = line_of(l2, *tag, set);
    *tag = flush ? 0 : *tag & ~L2_DIRTY;
    touch_set(l2, set);
}

/* What a request does to a line. */
enum {
    ALLOCATES = 1,      /* if it is not there */
    FROM_FIRST = 2,     /* not if lines come only when they leave the first level */
    DIRTIES = 4,
};
static const uint8_t does[16] = {
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

static uint32_t tag_of(const struct memsys_l2 *l2, uint64_t line) { return (uint32_t)(line >> l2->set_bits) << 4 | L2_VALID; }

bool memsys_l2_has(const struct memsys_l2 *l2, uint64_t line) { return find(l2, line & (l2->sets - 1), tag_of(l2, line)) >= 0; }

struct answer memsys_l2_ask(struct memsys_l2 *l2, enum request request, uint64_t line) {
    struct answer answer = {.victim = NO_LINE};
    if (request == ASK_USE || request == ASK_UNCACHED_LOAD || request == ASK_UNCACHED_STORE) return answer;
    if (request == ASK_VICTIM && !l2->on_eviction) return answer;
    uint32_t set = line & (l2->sets - 1);
    if (request == ASK_WAY) {
        uint32_t way = line >> WAY_SHIFT & (CACHE_WAYS - 1);
        if (way < l2->ways) clean_way(l2, set, way, !(line & WAY_CLEAN), &answer);
        return answer;
    }
    uint32_t tag = tag_of(l2, line);
    int way = find(l2, set, tag);
    answer.hit = way >= 0;
    if (request == ASK_CLEAN || request == ASK_FLUSH) {
        if (way >= 0) clean_way(l2, set, (uint32_t)way, request == ASK_FLUSH, &answer);
    } else if (way >= 0) {
        uint32_t *held = row(l2, set) + way;
        if (does[request] & DIRTIES && !(*held & L2_DIRTY)) {
            *held |= L2_DIRTY;
            touch_set(l2, set);
        }
    } else if (does[request] & ALLOCATES && !(does[request] & FROM_FIRST && l2->on_eviction)) {
        put(l2, set, tag, does[request] & DIRTIES, &answer);
    }
    return answer;
}

static void copy_set(struct memsys_l2 *to, const struct memsys_l2 *from, uint32_t set) {
    size_t place = (size_t)set * to->row;
    memcpy(to->tags + place, from->tags + place, to->row * sizeof *to->tags);
    randoms(to)[set] = randoms(from)[set];
}

void memsys_l2_adopt(struct memsys_l2 *replica, const struct memsys_l2 *l2) {
    for (uint32_t group = 0; group < l2->sets / GROUP; group++) {
        if (groups(l2)[group] < replica->window && groups(replica)[group] < replica->window) continue;
        for (uint32_t set = group * GROUP; set < (group + 1) * GROUP; set++)
            if (changed(l2)[set] >= replica->window || changed(replica)[set] >= replica->window) copy_set(replica, l2, set);
    }
    replica->window = l2->window;
}
