/*
 * A32 and T32 encodings: which of them a CPU does not have, although the library's decoder takes them for something, and
 * how the accesses of the others are to be aligned (Arm ARM E2.6, F4). Coprocessor, floating-point and Advanced SIMD
 * instructions have the same bits in both sets, but for the first ones: those of T32 are looked at as A32.
 */
#include "armv8/encoding32.h"

#define BYTE_ALIGNED 0
#define WORD_ALIGNED 2

static const struct encoding32 ordinary = {.each = EACH_ITS_SIZE};
static const struct encoding32 ordered = {.each = EACH_ITS_SIZE, .always = true};
static const struct encoding32 of_words = {.each = WORD_ALIGNED, .always = true};
static const struct encoding32 undefined = {.undefined = true};

/* One element, or one for all lanes: the alignment that is asked for beside the element's, as a power of 2 (Arm ARM F6.1,
 * VLD1 to VLD4). */
static unsigned alignment_of_elements(uint32_t word) {
    unsigned size = word >> 10 & 3, count = (word >> 8 & 3) + 1, index = word >> 4 & 15;
    if (count == 3) return BYTE_ALIGNED;
    if (size == 3) { /* all lanes */
        size = word >> 6 & 3;
        if (!(word & 1u << 4)) return BYTE_ALIGNED;
        if (count == 4) return size == 3 ? 4 : size == 2 ? 3 : size + 2;
        return size + count - 1;
    }
    if (size < 2) return index & 1 ? (count == 4 ? size + 2 : size + count - 1) : BYTE_ALIGNED;
    if (count == 1) return (index & 3) == 3 ? 2 : BYTE_ALIGNED;
    if (count == 2) return index & 1 ? 3 : BYTE_ALIGNED;
    return index & 3 ? 2 + (index & 3) : BYTE_ALIGNED;
}

static struct encoding32 of_structures(uint32_t word) {
    if (word & 1u << 23) {
        unsigned size = word >> 10 & 3;
        if (size == 3) size = (word >> 6 & 3) == 3 ? 2 : word >> 6 & 3;
        return (struct encoding32){.each = size, .first = alignment_of_elements(word)};
    }
    unsigned align = word >> 4 & 3;
    return (struct encoding32){.each = word >> 6 & 3, .first = align ? 2 + align : BYTE_ALIGNED};
}

/* Unallocated (F4.1.19): VMUL by U with size<1>, VQDMULL with U, SHA1H without Q. */
static bool is_unallocated_vector(uint32_t word) {
    return (word & 0xffa00f10) == 0xf3200d10 || ((word & 0xff800f50) == 0xf3800d00 && (word >> 20 & 3) != 3) ||
           (word & 0xffb30fd0) == 0xf3b10280;
}

/* LDC and STC of CP14 and CP15, but for DBGDTR at EL1 (F4.1.18); MCRR and MRRC are among them in the encoding. */
static bool is_coprocessor_memory(uint32_t word) {
    return (word & 0x0e000e00) == 0x0c000e00 && (word & 0x0fe00000) != 0x0c400000;
}

static bool is_vector_memory(uint32_t word) { return word >> 28 < 15 && (word & 0x0e000e00) == 0x0c000a00; }

static struct encoding32 of_extension(uint32_t word) {
    if (is_unallocated_vector(word) || is_coprocessor_memory(word)) return undefined;
    if ((word & 0xff100000) == 0xf4000000) return of_structures(word);
    return is_vector_memory(word) ? of_words : ordinary;
}

/* LDRD, of which the second word goes to the register behind the first in A32. */
static bool loses_base_a32(uint32_t word) {
    if ((word & 0x0e1000f0) != 0x000000d0) return false;
    unsigned first = word >> 12 & 15;
    return first == (word >> 16 & 15) || (!(word & 1u << 22) && first == (word & 15));
}

static struct encoding32 of_two_words(bool loses_base) {
    struct encoding32 encoding = of_words;
    encoding.loses_base = loses_base;
    return encoding;
}

/* SWP and SWPB are gone from Armv8 (Arm ARM G1.19.1). */
static bool is_swap(uint32_t word) { return word >> 28 < 15 && (word & 0x0fb00ff0) == 0x01000090; }

struct encoding32 encoding32_of_a32(uint32_t word, bool no_setend) {
    if (is_swap(word) || (no_setend && (word & 0xfffffdff) == 0xf1010000)) return undefined;
    if (word >> 28 < 15) {
        if ((word & 0x0e000000) == 0x08000000) return of_words;            /* LDM, STM */
        if ((word & 0x0e1000d0) == 0x000000d0) return of_two_words(loses_base_a32(word)); /* LDRD, STRD */
        if ((word & 0x0f800ff0) == 0x01800c90) return ordered;            /* LDA, STL, of any size */
    }
    return of_extension(word);
}

struct encoding32 encoding32_of_t32(uint32_t half, bool no_setend) {
    if (no_setend && (half & 0xfff7) == 0xb650) return undefined;
    return (half & 0xf000) == 0xc000 || (half & 0xf600) == 0xb400 ? of_words : ordinary; /* LDM, STM; PUSH, POP */
}

struct encoding32 encoding32_of_wide_t32(uint32_t word) {
    uint32_t first = word >> 16;
    if ((first & 0xfe40) == 0xe800) return of_words;                      /* LDM, STM */
    if ((first & 0xfe40) == 0xe840 && first & 0x0120)                       /* LDRD, STRD */
        return of_two_words(first & 0x10 && (word >> 12 & 15) == (first & 15));
    if ((first & 0xffe0) == 0xe8c0 && (word & 0xc0) == 0x80) return ordered; /* LDA, STL */
    if ((first & 0xff1f) == 0xf80f && (first & 0x60) != 0x60) return undefined; /* a store at the PC */
    if ((first & 0xef00) == 0xef00) return of_extension(0xf2000000 | (word >> 28 & 1) << 24 | (word & 0xffffff));
    if ((first & 0xff10) == 0xf900) return of_extension(0xf4000000 | (word & 0xffffff));
    return (first & 0xec00) == 0xec00 ? of_extension(word) : ordinary;
}
