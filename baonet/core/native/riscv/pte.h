/* Page table entries (privileged architecture, 12.3 to 12.6), with Svpbmt and Svnapot. */
#ifndef BAONET_RISCV_PTE_H
#define BAONET_RISCV_PTE_H

#include "core.h"

#define PTE_V 0x1u
#define PTE_R 0x2u
#define PTE_W 0x4u
#define PTE_X 0x8u
#define PTE_U 0x10u
#define PTE_G 0x20u
#define PTE_A 0x40u
#define PTE_D 0x80u
#define PTE_PBMT (3ull << 61)
#define PBMT_NC (1ull << 61) /* not cached; what is neither this nor 0 is I/O */
#define PTE_N (1ull << 63)
#define PTE_RESERVED (0x7full << 54)
#define PPN_MASK 0xfffffffffffu
#define PTE_PAGE(pte) ((pte) >> 10 & PPN_MASK)
#define PTE_TABLE(pte) (PTE_PAGE(pte) * PAGE_SIZE)

/* satp: the mode, the levels of modes 8 to 10, the address space, the root */
#define SATP_MODE(satp) ((satp) >> 60)
#define SATP_LEVELS(satp) ((unsigned)SATP_MODE(satp) - 5)
#define SATP_ASID(satp) ((uint16_t)((satp) >> 44))
#define SATP_TABLE(satp) (((satp) & PPN_MASK) * PAGE_SIZE)

/* Of an address, what is below the index into a table of a level. */
#define LEVEL_BITS 9u
#define LEVEL_SHIFT(level) (12 + LEVEL_BITS * (level))

static inline uint64_t pte_offset(uint64_t va, unsigned level) {
    return (va >> LEVEL_SHIFT(level) & ((1u << LEVEL_BITS) - 1)) * sizeof(uint64_t);
}

static inline bool pte_is_leaf(uint64_t pte) { return pte & (PTE_R | PTE_W | PTE_X); }

static inline bool pte_is_reserved(uint64_t pte) {
    if (!(pte & PTE_V) || pte & PTE_RESERVED || (pte & (PTE_R | PTE_W)) == PTE_W) return true;
    if (!pte_is_leaf(pte)) return pte & (PTE_U | PTE_A | PTE_D | PTE_PBMT | PTE_N);
    return (pte & PTE_PBMT) == PTE_PBMT;
}

#define NAPOT_PAGES 16u /* of the one size that there is, which the lowest bits of the PPN tell: 0b1000 */

/* The size of what a leaf maps, and where it is; 0: it is reserved. */
static inline uint64_t pte_size(uint64_t pte, unsigned level, uint64_t *base) {
    uint64_t size = (uint64_t)1 << LEVEL_SHIFT(level), page = PTE_PAGE(pte);
    if (pte & PTE_N) {
        if (level || page % NAPOT_PAGES != NAPOT_PAGES / 2) return 0;
        page -= NAPOT_PAGES / 2;
        size *= NAPOT_PAGES;
    }
    *base = page * PAGE_SIZE;
    return *base & (size - 1) ? 0 : size;
}

#endif
