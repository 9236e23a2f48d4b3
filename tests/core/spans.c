/*
 * Values in every iteration of a loop against what spans.h says of them by the first and the last: of operations that are drawn at
 * random, with operands near where they pass the ends of their words. Prints what is wrong. Arguments: a seed, how many.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "spans.h"

#define MOST 12

static uint64_t state;

static uint64_t draw(void) { /* SplitMix64 */
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
static unsigned below(unsigned limit) { return (unsigned)(draw() % limit); }

static uint64_t draw_near(uint64_t value) {
    static const uint64_t ends[] = {0, 1ull << 31, 1ull << 32, 1ull << 63};
    uint64_t end = ends[below(4)], distance = below(MOST) - MOST / 2u;
    switch (below(6)) {
    case 5: return ~0ull >> below(64);
    case 0: return end - value + distance;
    case 1: return end + value + distance;
    case 2: return end + distance;
    case 3: return below(20);
    default: return draw() >> below(64);
    }
}

enum { OPERATIONS = 15 };

static struct span apply(unsigned operation, struct span a, struct span b, unsigned by) {
    switch (operation) {
    case 0: return span_add(a, b);
    case 1: return span_sub(a, b);
    case 2: return span_sub(b, a);
    case 3: return span_mul(a, b);
    case 4: return span_shift_left(a, by);
    case 5: return span_shift_right(a, by);
    case 6: return span_shift_right_signed(a, by);
    case 7: return span_low(a, by + 1);
    case 8: return span_low_signed(a, by + 1);
    case 9: return span_divide(a, b, 0);
    case 10: return span_divide(b, a, 0);
    case 11: return span_and(a, b);
    case 12: return span_or(a, b);
    case 13: return span_mul_high(a, b);
    default: return span_xor(a, b);
    }
}

static bool in_order(const uint64_t *values, unsigned count) {
    bool rises = true, falls = true;
    for (unsigned i = 1; i < count; i++) rises &= values[i - 1] <= values[i], falls &= values[i - 1] >= values[i];
    return rises || falls;
}

typedef bool comparison(struct span, struct span, bool *);

static bool holds(comparison *compare, struct span a, struct span b, const uint64_t *values, unsigned count, bool swapped) {
    bool answer, each;
    if (!compare(swapped ? b : a, swapped ? a : b, &answer)) return true;
    for (unsigned i = 0; i < count; i++) {
        struct span value = span_same(values[i]);
        if (!compare(swapped ? b : value, swapped ? value : b, &each) || each != answer) return false;
    }
    return true;
}

int main(int count, char **arguments) {
    static comparison *const comparisons[] = {span_less, span_less_signed, span_equal};
    if (count != 3) return 2;
    state = strtoull(arguments[1], NULL, 0);
    unsigned long rounds = strtoul(arguments[2], NULL, 0), known = 0;
    for (unsigned long round = 0; round < rounds; round++) {
        unsigned iterations = 2 + below(MOST - 1), step = below(3);
        uint64_t first = draw_near(0), values[MOST];
        if (first + iterations * step < first) continue; /* the counter does not pass its end */
        struct span span = span_from(first, first + (iterations - 1) * step, true);
        for (unsigned i = 0; i < iterations; i++) values[i] = first + i * step;
        for (unsigned left = 1 + below(3); left; left--) {
            unsigned operation = below(OPERATIONS), by = below(64);
            struct span other = span_same(draw_near(values[below(iterations)]));
            span = apply(operation, span, other, by);
            for (unsigned i = 0; i < iterations; i++) values[i] = apply(operation, span_same(values[i]), other, by).first;
        }
        if (values[0] != span.first || values[iterations - 1] != span.last) return printf("%lu: ends\n", round), 1;
        if (!span.monotonic) continue;
        known += span.first != span.last;
        if (!in_order(values, iterations)) return printf("%lu: order\n", round), 1;
        struct span limit = span_same(values[below(iterations)] + below(3) - 1);
        for (unsigned i = 0; i < 6; i++)
            if (!holds(comparisons[i / 2], span, limit, values, iterations, i & 1)) return printf("%lu: comparison %u\n", round, i), 1;
    }
    printf("%lu\n", known);
    return 0;
}
