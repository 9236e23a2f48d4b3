/* Counts the bits of many numbers in seven ways, which must agree:  bits NUMBERS */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "programs.h"

#define STEP 13 /* from one number to the next */

static uint8_t of_byte[256];
static const uint8_t of_nibble[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};

/* A step for each bit that is set. */
static int by_lowest(uint64_t x) {
    int bits = 0;
    for (; x; x &= x - 1) bits++;
    return bits;
}
/* Pairs, fours, eights and so on are added side by side. */
static int by_halves(uint64_t x) {
    uint32_t n = (uint32_t)x;
    n = (n & 0x55555555) + (n >> 1 & 0x55555555);
    n = (n & 0x33333333) + (n >> 2 & 0x33333333);
    n = (n & 0x0f0f0f0f) + (n >> 4 & 0x0f0f0f0f);
    n = (n & 0x00ff00ff) + (n >> 8 & 0x00ff00ff);
    return (int)((n & 0xffff) + (n >> 16));
}
static int by_nibbles(uint64_t x) {
    int bits = of_nibble[x & 15];
    return x >> 4 ? bits + by_nibbles(x >> 4) : bits;
}
static int by_nibbles_in_a_loop(uint64_t x) {
    int bits = 0;
    for (; x; x >>= 4) bits += of_nibble[x & 15];
    return bits;
}
static int by_bytes(uint64_t x) {
    return of_byte[x & 255] + of_byte[x >> 8 & 255] + of_byte[x >> 16 & 255] + of_byte[x >> 24 & 255];
}
static int by_bytes_in_memory(uint64_t x) {
    uint32_t n = (uint32_t)x;
    const uint8_t *bytes = (const uint8_t *)&n;
    int bits = 0;
    for (unsigned at = 0; at < sizeof n; at++) bits += of_byte[bytes[at]];
    return bits;
}
static int one_by_one(uint64_t x) {
    int bits = 0;
    for (unsigned at = 0; x && at < sizeof x * CHAR_BIT; at++, x >>= 1) bits += (int)(x & 1);
    return bits;
}

static const struct {
    const char *name;
    int (*count)(uint64_t x);
} ways[] = {
    {"a step for each bit that is set", by_lowest},
    {"halves side by side", by_halves},
    {"a table of nibbles, by recursion", by_nibbles},
    {"a table of nibbles", by_nibbles_in_a_loop},
    {"a table of bytes", by_bytes},
    {"a table of bytes in memory", by_bytes_in_memory},
    {"a step for each bit", one_by_one},
};

int bits_main(int count, char **arguments) {
    long numbers = count == 2 ? atol(arguments[1]) : 0;
    if (numbers < 1) fail("bits: write bits NUMBERS");
    for (unsigned n = 0; n < sizeof of_byte; n++) of_byte[n] = (uint8_t)by_lowest(n);
    int (*volatile counted)(uint64_t x); /* the compiler is not to know which */
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
        counted = ways[way].count;
        long bits = 0;
        uint64_t x = 1013904223;
        for (long n = 0; n < numbers; n++, x += STEP) bits += counted(x);
        printf("%-38s> %ld bits\n", ways[way].name, bits);
    }
    return 0;
}
