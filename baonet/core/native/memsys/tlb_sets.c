#include "tlb_sets.h"

#include <stddef.h>

/* The ways with either of two keys, a bit for each: without a branch. */
static inline __attribute__((always_inline)) uint32_t ways_with(const struct tlb_entry *set, uint64_t own, uint64_t all, uint32_t ways) {
    uint32_t found = 0;
    for (uint32_t way = 0; way < ways; way++) found |= (uint32_t)((set[way].key == own) | (set[way].key == all)) << way;
    return found;
}

static inline __attribute__((always_inline)) struct tlb_entry *find_of(const struct tlb_sets *tlb, struct tlb_entry entries[],
                                                                       uint64_t address, uint32_t context, uint32_t shift) {
    uint64_t page = (address >> shift << shift) >> MEMSYS_PAGE_SHIFT;
    uint64_t own = key_of(page, whose_of(context, false)), all = key_of(page, whose_of(context, true));
    struct tlb_entry *set = entries + (size_t)tlb_set(tlb, address, shift) * tlb->ways;
    uint32_t found = tlb->ways == 4 ? ways_with(set, own, all, 4) : ways_with(set, own, all, tlb->ways);
    for (; found; found &= found - 1) /* of blocks of another size, too, which begin there */
        if (target_shift(set[__builtin_ctz(found)].target) == shift) return &set[__builtin_ctz(found)];
    return NULL;
}

/* The smallest first, which most are: its size is known here. */
struct tlb_entry *memsys_tlb_find(const struct tlb_sets *tlb, struct tlb_entry entries[], uint64_t address, uint32_t context) {
    const uint64_t smallest = (uint64_t)1 << MEMSYS_PAGE_SHIFT;
    struct tlb_entry *found = tlb->shifts & smallest ? find_of(tlb, entries, address, context, MEMSYS_PAGE_SHIFT) : NULL;
    for (uint64_t shifts = tlb->shifts & ~smallest; shifts && !found; shifts &= shifts - 1)
        found = find_of(tlb, entries, address, context, (uint32_t)__builtin_ctzll(shifts));
    return found;
}

void memsys_tlb_put(struct tlb_sets *tlb, struct tlb_entry entries[], uint8_t next[], uint64_t address, uint32_t whose,
             uint64_t target) {
    uint32_t shift = target_shift(target), set = tlb_set(tlb, address, shift);
    struct tlb_entry *entry = entries + (size_t)set * tlb->ways + next[set];
    next[set] = next[set] + 1u < tlb->ways ? (uint8_t)(next[set] + 1) : 0;
    entry->key = key_of((address >> shift << shift) >> MEMSYS_PAGE_SHIFT, whose);
    entry->target = target;
    tlb->shifts |= (uint64_t)1 << shift;
}
