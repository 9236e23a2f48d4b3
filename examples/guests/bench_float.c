/*
 * Micro-benchmarks of floating point, printed as bench.c prints its own. All come to the same values wherever they run: their sum
 * is told too.
 */
#include "guest.h"

#include "bench_float.h"

#define SIZE 24
#define MILLISECONDS 400

static double left[SIZE][SIZE], right[SIZE][SIZE], product[SIZE][SIZE];
static float left_single[SIZE][SIZE], right_single[SIZE][SIZE], product_single[SIZE][SIZE];
static uint64_t sum;

bool on_exception(struct frame *frame, uint64_t cause, uint64_t address) {
    (void)frame, (void)cause, (void)address;
    return false;
}
void on_interrupt(unsigned intid) { (void)intid; }
void guest_secondary(unsigned cpu) { (void)cpu; }

static void add_bits(const void *value, unsigned size) {
    const uint8_t *bytes = value;
    for (unsigned i = 0; i < size; i++) sum = (sum ^ bytes[i]) * 1099511628211u;
}

#define PRODUCT(to, one, other, type)                                   \
    for (unsigned i = 0; i < SIZE; i++)                                 \
        for (unsigned j = 0; j < SIZE; j++) {                           \
            type value = 0;                                             \
            for (unsigned k = 0; k < SIZE; k++) value += one[i][k] * other[k][j]; \
            to[i][j] = value;                                           \
        }

__attribute__((noinline)) static void matrix(void) { PRODUCT(product, left, right, double) }
__attribute__((noinline)) static void single(void) { PRODUCT(product_single, left_single, right_single, float) }

/* 1000 pairs: towards a root, which the next begins without. */
static double root = 2;
__attribute__((noinline)) static void roots(void) {
    double value = root;
    for (unsigned i = 0; i < 1000; i++) value = square_root(value) + root / value;
    root = value + 1;
}

/* 1000 conversions, there and back. */
static int64_t counted = 1;
__attribute__((noinline)) static void conversions(void) {
    int64_t value = counted;
    for (unsigned i = 0; i < 500; i++) value = (int64_t)((double)(float)((double)value * 1.25)) % 1000003 + 1;
    counted = value;
}

/* How often `once` can be done, which is `times` things, in MILLISECONDS or a little more. */
static void rate(const char *what, const char *unit, unsigned times, void (*once)(void)) {
    uint64_t limit = ticks_per_second() / 1000 * MILLISECONDS, count = 0, start = ticks(), elapsed;
    do {
        for (unsigned i = 0; i < 16; i++) once();
        count += 16;
        elapsed = ticks() - start;
    } while (elapsed < limit);
    print_line("bench %s: %u %s %u ns", what, count * times, unit, nanoseconds(elapsed));
}

void guest_main(void) {
    print_line("bench-float: start");
    float_on();
    for (unsigned i = 0; i < SIZE; i++)
        for (unsigned j = 0; j < SIZE; j++) {
            left_single[i][j] = (float)(left[i][j] = (double)(i + 1) / (double)(j + 1));
            right_single[i][j] = (float)(right[i][j] = (double)(j + 3) / (double)(i + 2));
        }
    rate("matrix", "products", 1, matrix);
    rate("single", "products", 1, single);
    add_bits(product, sizeof product);
    add_bits(product_single, sizeof product_single);
    root = 2, counted = 1;
    roots(), conversions();
    add_bits(&root, sizeof root);
    add_bits(&counted, sizeof counted);
    rate("sqrt-div", "pairs", 1000, roots);
    rate("convert", "conversions", 2000, conversions);
    print_line("bench-float: sum %x", sum);
    power_off("bench-float");
}
