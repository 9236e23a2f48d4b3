/*
 * What memory costs: one kind of work on memory, again and again. The work is a parameter, see `works`, and so is how much
 * memory it takes. Each pass is timed by itself; the first ones are not, as they find no cache as the others leave it.
 */
#include "bulk.h"
#include "guest.h"
#include "mark.h"
#include "parameters.h"
#include "pmu.h"
#include "samples.h"

#define LINE 64
#define PAGE 4096
#define MEBIBYTES 16
#define PASS 1 /* id of the marker */

BULK(memory, 16);
_Static_assert(sizeof memory == MEBIBYTES << 20, "what messages tell of");

static uint64_t work, size = 512 << 10, passes = 10, warmup = 2, seed = 1, pmu;
static struct pmu_sums counted;
static uint64_t sum;

static uint64_t random_next(void) { return seed = seed * 6364136223846793005u + 1442695040888963407u; }

static uint64_t word(uint64_t at) { return *(volatile uint64_t *)&memory[at]; }

/* As many as there are lines, each at a place of its own choice. */
static void random_reads(void) {
    uint64_t words = size / 8, read = 0;
    for (uint64_t n = size / LINE; n; n--) read += word((random_next() >> 32) * words / (1ull << 32) * 8);
    sum += read;
}

static void read_each(uint64_t step) {
    uint64_t read = 0;
    for (uint64_t at = 0; at < size; at += step) read += word(at);
    sum += read;
}
static void read_lines(void) { read_each(LINE); }
static void read_pages(void) { read_each(PAGE + LINE); } /* not always the same set of a cache */

static void quicksort(uint32_t *values, int64_t first, int64_t last) {
    while (first < last) {
        uint32_t pivot = values[(first + last) / 2];
        int64_t left = first, right = last;
        while (left <= right) {
            while (values[left] < pivot) left++;
            while (values[right] > pivot) right--;
            if (left > right) break;
            uint32_t value = values[left];
            values[left++] = values[right];
            values[right--] = value;
        }
        if (right - first < last - left) {
            quicksort(values, first, right);
            first = left;
        } else {
            quicksort(values, left, last);
            last = right;
        }
    }
}
static uint32_t *const values = (uint32_t *)memory;
static void shuffle(void) {
    for (uint64_t n = 0; n < size / 4; n++) values[n] = (uint32_t)(random_next() >> 32);
}
static void sort(void) { quicksort(values, 0, (int64_t)(size / 4) - 1); }

/* For all but sort: something to read. */
static void fill(void) {
    for (uint64_t at = 0; at < size; at += 8) *(uint64_t *)&memory[at] = at * 0x9e3779b97f4a7c15ull;
}

static const struct {
    const char *name;
    void (*once)(void);   /* before the first pass */
    void (*before)(void); /* before each, not timed */
    void (*pass)(void);
} works[] = {
    {"random-reads", fill, NULL, random_reads}, /* of a word each: a working set */
    {"lines", fill, NULL, read_lines},          /* a word of each line, in order: bandwidth where it is larger than the caches */
    {"pages", fill, NULL, read_pages},          /* a word of each page, in order: translations */
    {"sort", NULL, shuffle, sort},              /* quicksort of 32-bit numbers: mostly hits */
};
#define WORKS (sizeof works / sizeof *works)

static void pass(bool timed) {
    if (works[work].before) works[work].before();
    if (pmu) pmu_mark(&counted);
    uint64_t start = ticks();
    works[work].pass();
    uint64_t took = ticks() - start;
    if (!timed) return;
    if (pmu) pmu_add(&counted);
    MARK_NUMBER(PASS, nanoseconds(took));
    samples_add(took);
}

/* What was read, or how sorted what was sorted is; the same in every run. */
static uint64_t result(void) {
    if (works[work].before)
        for (uint64_t n = 1; n < size / 4; n++) sum += (uint64_t)values[n] * n + (values[n - 1] > values[n]);
    return sum;
}

void guest_main(void) {
    const struct parameter known[] = {
        {"work", &work}, {"size", &size}, {"passes", &passes}, {"warmup", &warmup}, {"seed", &seed}, {"pmu", &pmu},
    };
    parameters_read("membench", known, sizeof known / sizeof *known);
    if (work >= WORKS || size < PAGE || size > sizeof memory || passes < 1 || passes > SAMPLES) {
        print_line("membench: needs a work below %u, a size of 4 KiB to %u MiB, and 1 to %u passes", (uint64_t)WORKS,
                   (uint64_t)MEBIBYTES, (uint64_t)SAMPLES);
        power_off("membench");
    }
    if (works[work].once) works[work].once();
    if (pmu) pmu_begin();
    for (uint64_t n = 0; n < warmup + passes; n++) pass(n >= warmup);
    samples_sort();
    print_line("membench: %s of %u bytes, %u passes, min/mean/max %u/%u/%u ns, result %x", works[work].name, size, passes,
               samples_permille(0), samples_average(), samples_permille(1000), result());
    if (pmu) pmu_print(&counted, "membench", passes, "passes");
    power_off("membench");
}
