#include "answer.h"

#include <string.h>

static uint32_t row_of(uint32_t ways) { return (ways + LANES - 1) & ~(LANES - 1); }

size_t memsys_l2_size(const struct memsys_parameters *p) {
    size_t sets = (p->l2_size >> MEMSYS_LINE_SHIFT) / p->l2_ways;
    size_t size = sizeof(struct memsys_l2) + sets * row_of(p->l2_ways) * 4 + sets * sizeof(struct l2_set) + sets / GROUP * 16;
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
    for (uint32_t set = 0; set < l2->sets; set++) l2_sets(l2)[set].random = set * 2654435761u + 1;
}

bool memsys_l2_has(const struct memsys_l2 *l2, uint64_t line) { return l2_has(l2, line); }

static void copy_set(struct memsys_l2 *to, const struct memsys_l2 *from, uint32_t set) {
    size_t place = (size_t)set * to->row;
    if (to->row == CACHE_WAYS) memcpy(to->tags + place, from->tags + place, CACHE_WAYS * sizeof *to->tags);
    else memcpy(to->tags + place, from->tags + place, to->row * sizeof *to->tags);
    l2_sets(to)[set].random = l2_sets(from)[set].random;
}

void memsys_l2_take_over(struct memsys_l2 *l2, struct memsys_l2 *replica) {
    for (uint32_t group = 0; group < l2->sets / GROUP; group++) {
        if (l2_groups(replica)[group] < replica->window) continue;
        for (uint64_t sets = l2_last(replica)[group]; sets; sets &= sets - 1) {
            uint32_t set = group * GROUP + (uint32_t)__builtin_ctzll(sets);
            copy_set(l2, replica, set);
            l2_touch_set(l2, set);
        }
    }
    replica->window = ++l2->window;
}

void memsys_l2_adopt(struct memsys_l2 *replica, const struct memsys_l2 *l2) {
    for (uint32_t group = 0; group < l2->sets / GROUP; group++) {
        if (l2_groups(l2)[group] < replica->window && l2_groups(replica)[group] < replica->window) continue;
        for (uint32_t set = group * GROUP; set < (group + 1) * GROUP; set++)
            if (l2_sets(l2)[set].changed >= replica->window || l2_sets(replica)[set].changed >= replica->window) copy_set(replica, l2, set);
    }
    replica->window = l2->window;
}
