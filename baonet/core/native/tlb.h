/* The entries of the library's TLBs. */
#ifndef BAONET_TLB_H
#define BAONET_TLB_H

#include "core.h"

/* The entry (CPUTLBEntry) where a virtual address is or would be. */
uint8_t *tlb_entry(struct core *core, unsigned mmu_index, uint64_t va);

/* From now on stores to this page of RAM are seen, by whatever address it is mapped. */
void tlb_track_page(struct core *core, uint64_t page);

#endif
