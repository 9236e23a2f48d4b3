/*
 * What memory costs that another VM has written, which may be on another host. Two VMs share memory: one writes all of it,
 * then the other reads it: a word of each page, here and there, and then all of it from its start to its end. Both do so in
 * turn. Who waits looks once a millisecond: while one measures hardly anything else goes between them.
 */
#include "far.h"
#include "guest.h"
#include "joint.h"
#include "parameters.h"
#include "samples.h"

#define PAGE 4096
#define STEP 7 /* pages from one to the next, so that none is beside the one before */

struct arena {
    struct joint joint;
    _Alignas(PAGE) uint64_t turn[2][PAGE / 8]; /* a page of each VM */
    uint8_t bytes[];
};

static struct arena *arena;
static uint64_t size = 4u << 20, rounds = 5, scattered = 1;

void on_interrupt(unsigned intid) {
    if (intid == TIMER_INTID) timer_off();
}

/* Sleeps, so that it takes no core of the host from what is measured. */
static void wait_for_turn(uint64_t turn) {
    while (LOAD(&arena->turn[1 - joint_side][0]) != turn) {
        uint64_t deadline = ticks() + ticks_per_second() / 1000;
        timer_set(deadline);
        SLEEP_UNTIL(ticks() >= deadline);
    }
}

/* No page is like another, or all zeroes. */
static void write_all(uint64_t turn) {
    uint64_t *words = (uint64_t *)arena->bytes;
    for (uint64_t n = 0; n < size / 8; n++) words[n] = (n + turn) * 0x9e3779b97f4a7c15ull;
}

static uint64_t wrong;

static void read_pages(uint64_t turn) {
    uint64_t pages = size / PAGE;
    samples_clear();
    for (uint64_t n = 0, page = 0; n < pages; n++, page = (page + STEP) % pages) {
        uint64_t at = page * PAGE / 8, start = ticks();
        uint64_t word = LOAD((uint64_t *)arena->bytes + at);
        samples_add(ticks() - start);
        wrong += word != (at + turn) * 0x9e3779b97f4a7c15ull;
    }
    samples_sort();
    print_line("far: side %u, %u pages, p50/p90/p99/max %u/%u/%u/%u ns", joint_side, pages, samples_permille(500),
               samples_permille(900), samples_permille(990), samples_permille(1000));
}

static uint64_t sum_all(void) {
    uint64_t a, b, c, d, sum = 0, left = size;
    const uint8_t *at = arena->bytes;
    for (; left; left -= 32, at += 32) {
        LOAD_32(a, b, c, d, at);
        sum += a + b + c + d;
    }
    return sum;
}

static uint64_t sum_expected(uint64_t turn) {
    uint64_t count = size / 8;
    return (count * turn + count * (count - 1) / 2) * 0x9e3779b97f4a7c15ull;
}

static void read_in_order(uint64_t turn) {
    print_line("far: side %u reads", joint_side);
    uint64_t start = ticks(), sum = sum_all(), first = nanoseconds(ticks() - start);
    print_line("far: side %u has read", joint_side);
    start = ticks();
    wrong += sum != sum_expected(turn);
    wrong += sum_all() != sum;
    print_line("far: side %u, %u bytes in %u ns, again in %u ns", joint_side, size, first, nanoseconds(ticks() - start));
}

/* Turn 1 is written by side 0 and read by side 1, turn 2 the other way round, and so on. */
void guest_main(void) {
    const struct parameter known[] = {
        {"size", &size}, {"rounds", &rounds}, {"scattered", &scattered}, {"side", &joint_side},
    };
    parameters_read("far", known, sizeof known / sizeof *known);
    irqc_init();
    irqc_init_cpu();
    irqc_enable_level(TIMER_INTID);
    irqc_enable(IPC_INTID);
    joint_vms = 2;
    arena = joint_begin(NULL, sizeof *arena, 1);
    for (uint64_t turn = 1; turn <= (scattered ? 4 : 2) * rounds; turn++) {
        if (turn % 2 != joint_side) {
            wait_for_turn(turn - 1);
            write_all(turn);
            STORE(&arena->turn[joint_side][0], turn);
            continue;
        }
        wait_for_turn(turn);
        if (scattered && (turn - 1) % 4 < 2)
            read_pages(turn);
        else
            read_in_order(turn);
        STORE(&arena->turn[joint_side][0], turn);
    }
    print_line("far: side %u, %u wrong", joint_side, wrong);
    power_off("far");
}
