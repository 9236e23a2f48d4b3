/* The slow path of loads and stores. */
#ifndef BAONET_ARMV8_ACCESS_H
#define BAONET_ARMV8_ACCESS_H

#include "core.h"

/*
 * After the TLB was filled for a page of RAM: whether its entry, of which these are the addresses that loads and stores
 * compare with, was made to keep every access on the slow path.
 */
bool access_keep_slow(struct core *core, uint64_t va, uint32_t memory_type, uint64_t *read, uint64_t *write);

#endif
