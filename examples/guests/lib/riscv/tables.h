/* Translation tables of Sv39. Nobody sets A and D but software, so they are set. */
#ifndef GUEST_TABLES_H
#define GUEST_TABLES_H

#include "guest.h"

extern uint64_t translation_table[512]; /* an entry for each GiB */

static inline uint64_t table_descriptor(const void *table) { return (uintptr_t)table >> 2 | 1; }
static inline uint64_t page_descriptor(const void *page) { return (uintptr_t)page >> 2 | 0xcf; /* D, A, X, W, R, V */ }

/* What was stored to tables is what this vCPU translates by. */
static inline void publish_tables(void) { __asm__ volatile("sfence.vma" : : : "memory"); }

/* No vCPU translates this page any more as before. */
static inline void forget_page(uint64_t address) {
    dsb();
    __asm__ volatile("sfence.vma %0, zero" : : "r"(address) : "memory");
    sbi(SBI_RFENCE, 1, ALL_CPUS, 0, address, 4096);
}

#endif
