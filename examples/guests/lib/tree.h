/* A flattened device tree (Devicetree Specification 0.4, chapter 5). */
#ifndef GUEST_TREE_H
#define GUEST_TREE_H

#include "guest.h"

#define MAGIC 0xd00dfeed
#define BEGIN_NODE 1
#define END_NODE 2
#define PROPERTY 3
#define NOP 4

static inline bool equal(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

static inline uint32_t big_endian(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline bool is_tree(uint64_t address) {
    return address >= RAM_BASE && address % 8 == 0 && big_endian((const uint8_t *)address) == MAGIC;
}

#endif
