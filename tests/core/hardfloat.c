/*
 * Compares functions of floating point, the engine's with the library's that they stand in front of: result and status, of operands
 * and statuses of all kinds. With ENGINE it is given a file of the engine, for what the engine does on another host.
 */
#include <stdint.h>
#include <string.h>
#include <xmmintrin.h>

#ifdef ENGINE
#include ENGINE
#endif

enum shape { OF_ONE, OF_TWO, FUSED, TO_INTEGER, FROM_INTEGER };
typedef uint64_t (*function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

struct difference {
    uint64_t operands[3], number[2], status, results[2], statuses[2];
};

static uint64_t state;
static uint64_t next(void) {
    state += 0x9e3779b97f4a7c15u;
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
static uint64_t below(uint64_t limit) { return next() % limit; }
static uint64_t low(unsigned bits) { return bits >= 64 ? ~0ull : (1ull << bits) - 1; }

/* Fractions with few bits, with all but few, of rounding in the middle, and any; exponents of all edges. */
static uint64_t fraction_of(unsigned bits) {
    switch (below(8)) {
    case 0: return 0;
    case 1: return low(bits);
    case 2: return 1ull << below(bits);
    case 3: return low(bits) ^ 1ull << below(bits);
    case 4: return next() & low(bits) & ~low((unsigned)below(bits));
    case 5: return (next() & low(bits)) | low((unsigned)below(bits));
    case 6: return below(4);
    default: return next() & low(bits);
    }
}

static uint64_t number(unsigned bits) {
    unsigned fraction = bits == 64 ? 52 : 23, most = bits == 64 ? 0x7ff : 0xff, bias = most / 2, exponent;
    switch (below(12)) {
    case 0: exponent = 0; break;
    case 1: exponent = most; break;
    case 2: exponent = 1 + (unsigned)below(3); break;
    case 3: exponent = most - 1 - (unsigned)below(3); break;
    case 4: exponent = (unsigned)below(fraction + 4); break; /* the sum of which is near the least normal one, */
    case 5: exponent = bias / 2 + (unsigned)below(fraction); break; /* and the product, */
    case 6: exponent = bias + bias / 2 + (unsigned)below(8); break; /* or near infinity */
    case 7:
    case 8: exponent = bias - 2 + (unsigned)below(70); break; /* as integers are */
    case 9: exponent = bias - 4 + (unsigned)below(8); break;
    default: exponent = (unsigned)below(most + 1);
    }
    uint64_t sign = below(2) << (bits - 1);
    if (bits == 64 && !below(6)) { /* as the other format has them, or nearly */
        uint64_t narrow = next() & low(23), rest = below(3) ? 0 : below(2) ? 1ull << 28 : next() & low(29);
        return sign | (uint64_t)(bias - 152 + below(300)) << 52 | narrow << 29 | rest;
    }
    return sign | (uint64_t)exponent << fraction | fraction_of(fraction);
}

/* Of the first operand, so that they cancel, or nearly. */
static uint64_t near(unsigned bits, uint64_t a) { return (a ^ below(2) << (bits - 1)) + below(5) - 2; }

static uint64_t integer(unsigned bits, int is_signed) {
    uint64_t value = below(2) ? next() >> below(64) : 1ull << below(64);
    value += below(5) - 2;
    if (below(2)) value = -value;
    value &= low(bits);
    return is_signed && bits < 64 && value >> (bits - 1) ? value | ~low(bits) : value;
}

static uint64_t status_of(void) {
    uint8_t status[8] = {
        (uint8_t)below(2),                                                /* tininess */
        (uint8_t)(below(3) ? 0 : below(6)),                               /* how it rounds */
        (uint8_t)((below(4) ? 32 : 0) | (below(3) ? 0 : next() & 0xdf)),  /* flags */
        0,
        (uint8_t)!below(3),
        (uint8_t)!below(3),
        (uint8_t)!below(2),
        0,
    };
    uint64_t word;
    memcpy(&word, status, sizeof word);
    return word;
}

/* Returns how many of `count` differ, of which the first is `told`. `bits`: of the operand, and of the result. */
uint64_t differences(function ours, function theirs, int shape, unsigned bits, unsigned result, int is_signed, uint64_t count,
                     uint64_t seed, struct difference *told) {
    uint64_t found = 0;
    state = seed;
    while (count--) {
        struct difference d = {.status = status_of()};
        d.operands[0] = shape == FROM_INTEGER ? integer(bits, is_signed) : number(bits);
        d.operands[1] = below(6) ? number(bits) : near(bits, d.operands[0]) & low(bits);
        d.operands[2] = number(bits);
        if (shape == FUSED && !below(4)) { /* the product is near it */
            d.operands[1] = (bits == 64 ? 0x3ffull << 52 : 0x7full << 23) + below(3);
            d.operands[2] = near(bits, d.operands[0]) & low(bits);
        }
        d.number[0] = shape == FUSED ? below(8) ? below(8) : below(16) : below(6);
        if (shape == TO_INTEGER) d.number[1] = below(8) ? 0 : below(200) - 100;
        if (shape == FROM_INTEGER) d.number[0] = below(8) ? 0 : below(3000) - 1500;
        for (int i = 0; i < 2; i++) {
            function called = i ? theirs : ours;
            uint64_t *a = d.operands, status = d.status, where = (uintptr_t)&status;
            switch (shape) {
            case OF_ONE: d.results[i] = called(a[0], where, 0, 0, 0); break;
            case OF_TWO: d.results[i] = called(a[0], a[1], where, 0, 0); break;
            case FUSED: d.results[i] = called(a[0], a[1], a[2], d.number[0], where); break;
            case TO_INTEGER: d.results[i] = called(a[0], d.number[0], d.number[1], where, 0); break;
            default: d.results[i] = called(a[0], d.number[0], where, 0, 0);
            }
            d.results[i] &= low(result);
            d.statuses[i] = status;
        }
        if ((d.results[0] != d.results[1] || d.statuses[0] != d.statuses[1]) && !found++) *told = d;
    }
    return found;
}

unsigned host_rounding(void) { return _mm_getcsr(); }
void set_host_rounding(unsigned word) { _mm_setcsr(word); }
