/*
 * Where guest-physical memory is in the machine's, as its hypervisor has placed it: what stage 2 would answer, and what a CPU would
 * read to find out. The engine itself has no need of it.
 */
#ifndef BAONET_PHYSICAL_H
#define BAONET_PHYSICAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memsys.h"

struct core;
struct region;

/* A table of stage 2: from where on it translates, with its level (1 to 3) in the low bits; and where it lies. */
struct table {
    uint64_t covers, at;
};
#define TABLE_LEVEL 3u

struct physical {
    uint64_t *pages; /* of RAM, in the order in which it was mapped: the address, and log2 of its block in the low bits */
    size_t page_count;
    struct table *tables; /* in ascending order */
    size_t table_count;
};

/* Where a page of RAM is. */
uint64_t physical_page(const struct physical *physical, struct region *region, uint64_t ipa);

/* Where an IPA is; false: the VM has nothing there. Where no map was given: at the same address, without a stage 2. */
bool physical_find(struct core *core, const struct physical *physical, uint64_t ipa, struct memsys_stage2 *found);

#endif
