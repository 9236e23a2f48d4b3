#include "tlb_sets.h"

#include <stddef.h>

struct tlb_entry *memsys_tlb_find(const struct tlb_sets *tlb, struct tlb_entry entries[], uint64_t address, uint32_t context) {
    for (uint64_t shifts = tlb->shifts; shifts; shifts &= shifts - 1) {
        uint32_t shift = (uint32_t)__builtin_ctzll(shifts);
        uint64_t page = (address >> shift << shift) >> MEMSYS_PAGE_SHIFT;
        uint64_t own = key_of(page, whose_of(context, false)), all = key_of(page, whose_of(context, true));
        struct tlb_entry *set = entries + (size_t)tlb_set(tlb, address, shift) * tlb->ways;
        for (uint32_t way = 0; way < tlb->ways; way++)
            if ((set[way].key == own || set[way].key == all) && target_shift(set[way].target) == shift) return &set[way];
    }
    return NULL;
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
