/*
 * An instruction of two halves over the end of a page. One vCPU runs it again and again, and takes aborts as long as its second half
 * is in no page; the other maps one there at any moment, so also while the instruction is being fetched, and then changes that
 * half. What was changed with all maintenance is what must run. It is a branch, so that nothing else of the page
 * runs. Another page is mapped each time, of which nothing has run since it was written.
 */
#include "guest.h"
#include "parameters.h"

#define PAGES 8u
#define LAST 0xffe               /* where the instruction is */
#define FIRST_TARGET 0x400
#define TARGETS 256u

static _Alignas(4096) uint64_t second_level[512], third_level[512];
static _Alignas(4096) uint16_t code[2048], pages[PAGES][2048];
static uint64_t rounds = 1000, most = 20000, aborts, old_at_first, stale;
static struct {
    _Alignas(64) uint32_t round; /* the latest that has come as far */
} begun, tried, ran, changed, done;

static void reach(uint32_t *place, uint32_t round) { STORE(place, round); }
static void wait_for(uint32_t *place, uint32_t round) {
    while (LOAD(place) != round) yield();
}

#include "straddle.h"

static unsigned before(uint32_t round) { return round % (TARGETS / 2); }
static unsigned after(uint32_t round) { return TARGETS / 2 + round % (TARGETS / 2); }

void guest_secondary(unsigned cpu) {
    (void)cpu;
    prepare();
    for (uint32_t round = 1; round <= rounds; round++) {
        unsigned found;
        wait_for(&begun.round, round);
        for (uint64_t first = aborts; (found = run()) == TARGETS; aborts++)
            if (aborts == first) reach(&tried.round, round);
        old_at_first += found != before(round);
        reach(&ran.round, round);
        wait_for(&changed.round, round);
        stale += run() != after(round);
        reach(&done.round, round);
    }
    cpu_off();
}

void guest_main(void) {
    const struct parameter known[] = {{"rounds", &rounds}, {"most", &most}};
    parameters_read("straddle", known, 2);
    write_targets();
    map_code();
    start_secondaries(2);
    uint32_t random = 1;
    for (uint32_t round = 1; round <= rounds; round++) {
        uint16_t *page = pages[round % PAGES];
        aim(page, before(round));
        reach(&begun.round, round);
        wait_for(&tried.round, round);
        random = random * 1664525 + 1013904223;
        for (uint64_t rest = (random >> 8) % most; rest; rest--) __asm__ volatile("nop");
        map(page);
        wait_for(&ran.round, round);
        aim(page, after(round));
        reach(&changed.round, round);
        wait_for(&done.round, round);
        map(NULL);
        synchronise(page, 64);
    }
    print_line("straddle: %u rounds, %u aborts", rounds, aborts);
    print_line("straddle: old when it was mapped %u, stale %u", old_at_first, stale);
    print_line("straddle: %s", old_at_first + stale ? "FAILED" : "all new");
    power_off("straddle");
}
