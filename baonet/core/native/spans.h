/*
 * What an instruction would compute in every iteration of a loop, by its values in the first and in the last: those between are
 * known if they rise or fall all the way, without passing 2^64. So a comparison that comes out alike at both ends comes out so in
 * every iteration. `same` values are one number.
 */
#ifndef BAONET_SPANS_H
#define BAONET_SPANS_H

#include <stdbool.h>
#include <stdint.h>

struct span {
    uint64_t first, last;
    bool monotonic; /* false: nothing is known of those between */
};

static inline struct span span_same(uint64_t value) { return (struct span){value, value, true}; }
static inline bool span_is_same(struct span a) { return a.monotonic && a.first == a.last; }

/* Of one that is monotonic if what it was made from is, and what was lost of it (a carry, high bits) was the same at both ends. */
static inline struct span span_from(uint64_t first, uint64_t last, bool monotonic) { return (struct span){first, last, monotonic}; }

/* Of two values at most one may differ from iteration to iteration, or their sum may do anything. */
static inline bool spans_follow(struct span a, struct span b) {
    return a.monotonic && b.monotonic && (a.first == a.last || b.first == b.last);
}

static inline struct span span_add(struct span a, struct span b) {
    uint64_t first = a.first + b.first, last = a.last + b.last;
    return span_from(first, last, spans_follow(a, b) && (first < a.first) == (last < a.last));
}

static inline struct span span_sub(struct span a, struct span b) {
    bool alike = (a.first < b.first) == (a.last < b.last);
    return span_from(a.first - b.first, a.last - b.last, spans_follow(a, b) && alike);
}

static inline struct span span_mul(struct span a, struct span b) {
    unsigned __int128 first = (unsigned __int128)a.first * b.first, last = (unsigned __int128)a.last * b.last;
    return span_from((uint64_t)first, (uint64_t)last, spans_follow(a, b) && first >> 64 == last >> 64);
}

static inline struct span span_shift_left(struct span a, unsigned by) {
    bool alike = !by || a.first >> (64 - by) == a.last >> (64 - by);
    return span_from(a.first << by, a.last << by, a.monotonic && alike);
}

static inline struct span span_shift_right(struct span a, unsigned by) {
    return span_from(a.first >> by, a.last >> by, a.monotonic);
}

/* As a signed number a span is monotonic if it is so without a sign, and its sign does not change. */
static inline bool span_keeps_sign(struct span a) { return a.monotonic && !((a.first ^ a.last) >> 63); }

/* Whatever the signs are: those that get ones from above were the greater. */
static inline struct span span_shift_right_signed(struct span a, unsigned by) {
    return span_from((uint64_t)((int64_t)a.first >> by), (uint64_t)((int64_t)a.last >> by), a.monotonic);
}

/* The lowest bits, the others 0; or the sign in them. */
static inline struct span span_low(struct span a, unsigned bits) {
    return span_shift_right(span_shift_left(a, 64 - bits), 64 - bits);
}
static inline struct span span_low_signed(struct span a, unsigned bits) {
    return span_shift_right_signed(span_shift_left(a, 64 - bits), 64 - bits);
}

/* The upper half of the product of two without a sign. */
static inline struct span span_mul_high(struct span a, struct span b) {
    uint64_t first = (uint64_t)((unsigned __int128)a.first * b.first >> 64), last = (uint64_t)((unsigned __int128)a.last * b.last >> 64);
    return span_from(first, last, spans_follow(a, b));
}

/* A quotient by zero is what the architecture says. */
static inline struct span span_divide(struct span a, struct span b, uint64_t by_zero) {
    uint64_t first = b.first ? a.first / b.first : by_zero, last = b.last ? a.last / b.last : by_zero;
    return span_from(first, last, a.monotonic && span_is_same(b));
}

/* Of bits the order of the operands says nothing, but where all of them are kept, or turned, or the lowest. */
static inline struct span span_of_bits(uint64_t first, uint64_t last, struct span a, struct span b) {
    return span_from(first, last, span_is_same(a) && span_is_same(b));
}
static inline bool span_is(struct span a, uint64_t value) { return span_is_same(a) && a.first == value; }
static inline struct span span_and(struct span a, struct span b) {
    bool lowest = span_is_same(b) && b.first && !(b.first & (b.first + 1));
    return lowest ? span_low(a, (unsigned)__builtin_popcountll(b.first)) : span_of_bits(a.first & b.first, a.last & b.last, a, b);
}
static inline struct span span_or(struct span a, struct span b) {
    if (span_is(a, 0)) return b;
    return span_is(b, 0) ? a : span_of_bits(a.first | b.first, a.last | b.last, a, b);
}
static inline struct span span_xor(struct span a, struct span b) {
    return span_is(b, UINT64_MAX) ? span_sub(b, a) : span_of_bits(a.first ^ b.first, a.last ^ b.last, a, b);
}
static inline struct span span_not(struct span a) { return span_xor(a, span_same(UINT64_MAX)); }

/* Comparisons. False: they may come out in both ways; else `*answer` is how they do, in every iteration. */
static inline bool span_less(struct span a, struct span b, bool *answer) {
    *answer = a.first < b.first;
    return spans_follow(a, b) && *answer == (a.last < b.last);
}

static inline bool span_less_signed(struct span a, struct span b, bool *answer) {
    *answer = (int64_t)a.first < (int64_t)b.first;
    return spans_follow(a, b) && span_keeps_sign(a) && span_keeps_sign(b) && *answer == ((int64_t)a.last < (int64_t)b.last);
}

/* They differ all the way if one is always the greater. */
static inline bool span_equal(struct span a, struct span b, bool *answer) {
    bool less;
    *answer = a.first == b.first;
    if (span_is_same(a) && span_is_same(b)) return true;
    return !*answer && a.last != b.last && span_less(a, b, &less);
}

#endif
