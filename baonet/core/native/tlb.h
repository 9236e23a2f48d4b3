/* The entries of the library's TLBs. */
#ifndef BAONET_TLB_H
#define BAONET_TLB_H

#include "core.h"

/* The entry (CPUTLBEntry) where a virtual address is or would be. */
uint8_t *tlb_entry(struct core *core, unsigned mmu_index, uint64_t va);

/* All entries of a TLB, up to `end`; and those TLB_VICTIMS that were in it until lately, and count as well. */
uint8_t *tlb_table(struct core *core, unsigned mmu_index, uint8_t **end);
uint8_t *tlb_victims(struct core *core, unsigned mmu_index);

/* The one by which translated code goes to an address in RAM by itself; NULL: none. `permission`: TLB_ENTRY_READ, _WRITE or _CODE. */
const uint8_t *tlb_find(struct core *core, unsigned mmu_index, uint64_t va, unsigned permission);

/*
 * Where the host has what an access is to, by an entry that another one of the same place has displaced lately: the two change places.
 * So the library does, but it then asks twice what is mapped there; such an entry is one of RAM that nobody watches. NULL: there is
 * none, or the access is not in its natural place. `permission`: TLB_ENTRY_READ or _WRITE; `index` is as translated code has it.
 */
void *tlb_displaced(void *env, uint64_t va, unsigned size, uint32_t index, unsigned permission);

/* A page of a region that is there: the entry (CPUTLBEntry). What it maps tracks stores until it is opened. */
uint8_t *tlb_fill(struct core *core, uint64_t va, uint64_t ipa, uint32_t attributes, int prot, int access, int mmu_index,
                  uint64_t page_size);

/* From now on stores to this page of RAM by this entry are not seen, unless it has code. */
void tlb_open(struct core *core, struct region *region, uint64_t va, uint64_t ipa, uint8_t *entry);

/* From now on stores to this page of RAM are seen, by whatever address it is mapped. */
void tlb_track_page(struct core *core, uint64_t page);

#endif
