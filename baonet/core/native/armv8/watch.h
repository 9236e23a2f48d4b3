/* Watchpoints. */
#ifndef BAONET_ARMV8_WATCH_H
#define BAONET_ARMV8_WATCH_H

#include "core.h"

/* After their registers have changed. */
void watch_update(struct core *core);

/* Whether a page has a watched byte. */
bool watch_page(struct core *core, uint64_t va);

/* Of a load or store, of an atomic operation: does not return if it hits one. */
void watch_check(struct core *core, uint64_t va, uint64_t size, int access, int mmu_index, uintptr_t from);
void watch_check_atomic(struct core *core, uint64_t va, uint64_t size, int mmu_index, uintptr_t from);

#endif
