/* Stage 1: the guest's own translation tables. */
#ifndef BAONET_ARMV8_WALK_H
#define BAONET_ARMV8_WALK_H

#include "core.h"

/* As QEMU's; interposed. `core->walk` tells what it met. */
bool get_phys_addr_aarch64(void *env, uint64_t va, int access, int mmu_index, uint64_t *ipa, uint32_t *attributes, int *prot,
                           uint64_t *page_size, void *info, void *memory_type);

/* Of the tables for an address: log2 of the granule, how many bits are translated, the level of the first lookup. */
unsigned walk_granule(const struct core *core, uint64_t va);
unsigned walk_input(const struct core *core, uint64_t va);
int walk_first_level(const struct core *core, uint64_t va);

/* As an access to data would be translated; false: it would fault. The memory type is as in MAIR_EL1. */
bool stage1_translate(struct core *core, uint64_t va, int access, int mmu_index, uint64_t *ipa, uint32_t *memory_type);

#endif
