/*
 * Sets of translations of several sizes, with victims in turn: the main TLB, the walk cache, the IPA cache; and micro-TLBs, fully
 * associative, of 4 KiB each.
 *
 * A key is a page number (of the block's begin), and by whom it may be used: an ASID, or all; with stage 1 or without.
 */
#ifndef BAONET_MEMSYS_TLB_SETS_H
#define BAONET_MEMSYS_TLB_SETS_H

#include <stdbool.h>
#include <stdint.h>

#include "parameters.h"

#define TLB_ENTRIES 1024u
#define SMALL_ENTRIES 256u
#define MICRO_ENTRIES 64u

#define KEY_SHIFT 18
#define KEY_CONTEXT 0x1ffffu /* of what memsys_set_context has */
#define KEY_ASID 0xffffu
#define KEY_GLOBAL 0x20000u
#define NO_KEY UINT64_MAX /* none has all of its flags */
/* Of the key's 64 bits 46 are for the page: addresses up to 58 bits, sign included. */
static inline uint64_t key_of(uint64_t page, uint32_t whose) { return page << KEY_SHIFT | whose; }
static inline uint32_t whose_of(uint32_t context, bool global) {
    return global ? (context & KEY_CONTEXT & ~KEY_ASID) | KEY_GLOBAL : context & KEY_CONTEXT;
}

/* What a translation leads to: physical page, log2 of the block's size, attributes for data and for code. 0: nothing. */
static inline uint64_t target_of(uint64_t pa, uint32_t shift, uint32_t memory, uint32_t code) {
    return pa >> MEMSYS_PAGE_SHIFT << MEMSYS_PAGE_SHIFT | code << 8 | memory << 6 | shift;
}
#define TARGET_SHARED 0x400u /* others can reach it too */
static inline uint32_t target_shift(uint64_t target) { return target & 63; }
static inline uint32_t target_memory(uint64_t target, bool code) { return target >> (code ? 8 : 6) & 3; }
/* Of an address in the block. */
static inline uint64_t target_pa(uint64_t target, uint64_t address) {
    uint64_t within = ((uint64_t)1 << target_shift(target)) - 1;
    return (target & ~within & ~(uint64_t)0xfff) | (address & within);
}

struct tlb_entry {
    uint64_t key, target;
};
struct tlb_sets {
    uint32_t sets, ways;
    uint64_t shifts; /* a bit for each that has been put in since all went */
};

static inline uint32_t tlb_set(const struct tlb_sets *tlb, uint64_t address, uint32_t shift) {
    return address >> shift & (tlb->sets - 1);
}

/* Whether an entry is for an address. */
static inline bool tlb_is_for(const struct tlb_entry *entry, uint64_t address, uint32_t context) {
    uint32_t shift = target_shift(entry->target);
    uint64_t page = (address >> shift << shift) >> MEMSYS_PAGE_SHIFT;
    return entry->target && (entry->key == key_of(page, whose_of(context, false)) || entry->key == key_of(page, whose_of(context, true)));
}

/* The entry for an address, the first that is; NULL. */
struct tlb_entry *memsys_tlb_find(const struct tlb_sets *tlb, struct tlb_entry entries[], uint64_t address, uint32_t context);
void memsys_tlb_put(struct tlb_sets *tlb, struct tlb_entry entries[], uint8_t next[], uint64_t address, uint32_t whose, uint64_t target);

#endif
