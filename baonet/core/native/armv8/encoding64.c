/* Loads and stores of A64, by their encoding (Arm ARM C4.1.94). */
#include "armv8/encoding64.h"

/* By bits 29 to 24. */
bool encoding64_accesses(uint32_t word) { return (word & 0x0a000000) == 0x08000000; }
static bool is_exclusive(uint32_t word) { return (word & 0x3f000000) == 0x08000000; } /* or ordered */
static bool is_structure(uint32_t word) { return (word & 0xbe000000) == 0x0c000000; }
static bool is_pair(uint32_t word) { return (word & 0x3a000000) == 0x28000000; }
static bool is_single(uint32_t word) { return (word & 0x3a000000) == 0x38000000; }
bool encoding64_is_literal(uint32_t word) { return (word & 0x3b000000) == 0x18000000; }
static bool is_unscaled_ordered(uint32_t word) { return (word & 0x3f200c00) == 0x19000000; } /* LDAPUR, STLUR */
static bool is_vector(uint32_t word) { return word & 1u << 26; }
unsigned encoding64_base(uint32_t word) { return word >> 5 & 31; }

/* LDAR, STLR, LDLAR, STLLR, LDAPR, LDAPUR, STLUR; the library asks for alignment in exclusives itself. */
bool encoding64_is_ordered(uint32_t word) {
    return (word & 0x3fa00000) == 0x08800000 || (word & 0x3ffffc00) == 0x38bfc000 || is_unscaled_ordered(word);
}

/* A register of 16 bytes is accessed as two halves. */
bool encoding64_is_quadword(uint32_t word) {
    if (!is_vector(word)) return false;
    if (is_single(word)) return !(word >> 30) && word & 1u << 23;
    return (is_pair(word) || encoding64_is_literal(word)) && word >> 30 == 2;
}

/* As a power of 2. Of several structures the library may load more than one element at once. */
unsigned encoding64_element(uint32_t word, unsigned size) {
    return (word & 0xbf000000) == 0x0c000000 ? word >> 10 & 3 : size;
}

static int64_t signed_field(uint32_t word, unsigned low, unsigned width) {
    return (int64_t)((uint64_t)word << (64 - low - width)) >> (64 - width);
}

/* How the first address is aligned, as a power of 2, if the base is a multiple of 16; 0 where a register is added. */
unsigned encoding64_alignment(uint32_t word) {
    int64_t offset = 0;
    unsigned size = word >> 30;
    if (is_pair(word)) {
        unsigned scale = is_vector(word) ? 2 + size : 2 + (size >> 1);
        if ((word >> 23 & 3) != 1) offset = signed_field(word, 15, 7) * (1 << scale); /* 1: post-index */
    } else if (is_single(word) && word & 1u << 24) {
        unsigned scale = encoding64_is_quadword(word) ? 4 : size;
        offset = (int64_t)(word >> 10 & 0xfff) << scale;
    } else if (is_unscaled_ordered(word) || (is_single(word) && !(word & 1u << 21))) {
        if ((word >> 10 & 3) != 1) offset = signed_field(word, 12, 9);
    } else if (is_single(word) && word & 1u << 10) { /* LDRAA, LDRAB */
        offset = (signed_field(word, 22, 1) * 512 + (word >> 12 & 0x1ff)) * 8;
    } else if (is_single(word) && (word >> 10 & 3) == 2) {
        return 0;
    } else if (!is_single(word) && !is_exclusive(word) && !is_structure(word)) {
        return 0;
    }
    return (unsigned)__builtin_ctzll((uint64_t)offset | 16);
}

/* LDADD and the like, SWP; CAS; CASP: they fault as loads wherever a load would (Arm ARM D17.2.37, WnR). */
bool encoding64_loads_and_stores(uint32_t instruction) {
    return (instruction & 0x3f200c00) == 0x38200000 || (instruction & 0x3fa07c00) == 0x08a07c00 ||
           (instruction & 0xbfa07c00) == 0x08207c00;
}

/* LDXP, STXP and CASP: 16 bytes. */
bool encoding64_is_exclusive_pair(uint32_t word) { return (word & 0x7fa00000) == 0x48200000; }

/* Of one general register, with pre- or post-index. */
bool encoding64_writes_back(uint32_t word) { return (word & 0x3f200400) == 0x38000400; }

/* LD1 to LD4 and ST1 to ST4 of whole registers, by the opcode: registers in all, and how many make a structure. */
static unsigned parts_of_structures(uint32_t word) {
    static const struct {
        unsigned char registers, of_one;
    } opcodes[16] = {[0] = {4, 4}, [2] = {4, 1}, [4] = {3, 3}, [6] = {3, 1}, [7] = {1, 1}, [8] = {2, 2}, [10] = {2, 1}};
    unsigned opcode = word >> 12 & 15, size = opcodes[opcode].of_one == 1 ? 3 : word >> 10 & 3;
    return opcodes[opcode].registers * ((word & 1u << 30 ? 16u : 8u) >> size);
}

static bool is_load_exclusive_pair(uint32_t word) { return (word & 0xffe00000) == 0xc8600000; }

unsigned encoding64_parts(uint32_t word) {
    if (is_pair(word)) return encoding64_is_quadword(word) ? 4 : 2;
    if (encoding64_is_quadword(word) || is_load_exclusive_pair(word)) return 2;
    if (!is_structure(word)) return 1;
    return word & 1u << 24 ? ((word >> 12 & 2) | (word >> 21 & 1)) + 1 : parts_of_structures(word);
}

int64_t encoding64_literal(uint32_t word) { return signed_field(word, 5, 19) * 4; }

/* PRFM and PRFUM of data. */
bool encoding64_is_prefetch(uint32_t word, bool *literal) {
    *literal = (word & 0xff000000) == 0xd8000000;
    bool is = *literal || (word & 0xffc00000) == 0xf9800000 || (word & 0xffe00c00) == 0xf8800000 || (word & 0xffe00c00) == 0xf8a00800;
    return is && (word >> 3 & 3) != 1;
}

/* An index register as it is extended (Arm ARM C6.2, PRFM (register)). */
static uint64_t extended(uint32_t word, const uint64_t *x) {
    unsigned m = word >> 16 & 31, option = word >> 13 & 7;
    uint64_t value = m == 31 ? 0 : x[m];
    if (option == 2) value = (uint32_t)value;
    if (option == 6) value = (uint64_t)(int64_t)(int32_t)value;
    return word & 1u << 12 ? value << 3 : value;
}

uint64_t encoding64_prefetched(uint32_t word, const uint64_t *x) {
    uint64_t base = x[encoding64_base(word)];
    if (word & 1u << 24) return base + ((uint64_t)(word >> 10 & 0xfff) << 3);
    return base + (word & 1u << 21 ? extended(word, x) : (uint64_t)signed_field(word, 12, 9));
}
