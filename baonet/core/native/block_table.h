/* The library's table behind a block's host code: for each instruction the differences of its words and of where its host code ends. */
#ifndef BAONET_BLOCK_TABLE_H
#define BAONET_BLOCK_TABLE_H

#include <stdint.h>
#include <string.h>

#include "arch.h"

struct block_row {
    uint64_t words[INSN_START_WORDS];
    uint64_t end; /* of its host code, from the block's */
};

/* As it is before the first instruction of a block at this address. */
static inline struct block_row block_table_begin(uint64_t pc) { return (struct block_row){.words = {pc}}; }

static inline int64_t block_table_number(const uint8_t **at) {
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (shift < 64 && byte & 0x40) value |= UINT64_MAX << shift;
    return (int64_t)value;
}

static inline void block_table_next(const uint8_t **at, struct block_row *row) {
    for (int word = 0; word < INSN_START_WORDS; word++) row->words[word] += (uint64_t)block_table_number(at);
    row->end += (uint64_t)block_table_number(at);
}

#endif
