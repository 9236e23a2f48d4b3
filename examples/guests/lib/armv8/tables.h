/* Translation tables of stage 1, with a granule of 4 KiB. */
#ifndef GUEST_TABLES_H
#define GUEST_TABLES_H

#include "guest.h"

#define PAGE_DESCRIPTOR (0x403ull | 3 << 8 | 1 << 2 | 1ull << 11) /* page, AF, inner shareable, Normal, not global */
#define TABLE_DESCRIPTOR 3ull

extern uint64_t translation_table[64]; /* an entry for each GiB */

static inline uint64_t table_descriptor(const void *table) { return (uintptr_t)table | TABLE_DESCRIPTOR; }
static inline uint64_t page_descriptor(const void *page) { return (uintptr_t)page | PAGE_DESCRIPTOR; }

static inline void publish_tables(void) {
    dsb();
    isb();
}

#endif
