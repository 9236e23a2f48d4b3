/*
 * A T32 instruction over the end of a page, at EL0. One vCPU runs it again and again, and takes aborts as long as its second half
 * is in no page; the other maps one there at any moment, so also while the instruction is being fetched, and then changes that
 * half. What was changed with all maintenance is what must run (Arm ARM B2.2.5). It is a branch, so that nothing else of the page
 * runs. Another page is mapped each time, of which nothing has run since it was written.
 */
#include "guest.h"
#include "parameters.h"

#define CODE 0xc0000000ull       /* 3 GiB: entry 3 of the first-level table */
#define PAGE_DESCRIPTOR (0x403ull | 3 << 8 | 1 << 6 | 1 << 2) /* AF, inner shareable, EL0 too, Normal */
#define TABLE_DESCRIPTOR 3ull
#define PAGES 8u
#define LAST 0xffe               /* where the instruction is */
#define FIRST_TARGET 0x400
#define TARGETS 256u
#define T32_EL0 0x1f0            /* PSTATE */
#define SVC_AARCH32 0x11u
#define FETCH_ABORT 0x20u

uint64_t enter(uint64_t pc, uint64_t pstate);
extern char enter_vectors[];
extern uint64_t translation_table[64];

static _Alignas(4096) uint64_t second_level[512], third_level[512];
static _Alignas(4096) uint16_t code[2048], pages[PAGES][2048];
static uint64_t rounds = 1000, most = 20000, aborts, old_at_first, stale;
static struct {
    _Alignas(64) uint32_t round; /* the latest that has come as far */
} begun, tried, ran, changed, done;

static uint64_t pa(const void *pointer) { return (uintptr_t)pointer; }
static void reach(uint32_t *place, uint32_t round) { STORE(place, round); }
static void wait_for(uint32_t *place, uint32_t round) {
    while (LOAD(place) != round) yield();
}

static void synchronise(const void *at, unsigned lines) {
    __asm__ volatile("dc cvau, %0\n\tdsb ish" : : "r"(at) : "memory");
    for (unsigned line = 0; line < lines; line++)
        __asm__ volatile("ic ivau, %0" : : "r"((const char *)at + line * 64) : "memory");
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

/* MOVW R0, #number; SVC #0 */
static void write_targets(void) {
    for (unsigned number = 0; number < TARGETS; number++) {
        uint16_t *at = &code[(FIRST_TARGET + 8 * number) / 2];
        at[0] = 0xf240;
        at[1] = (uint16_t)number;
        at[2] = 0xdf00;
    }
    code[LAST / 2] = 0xf7ff; /* B.W, to less than 4 KiB before it */
    synchronise(code, 64);
}

/* The second half of the branch. */
static void aim(uint16_t *page, unsigned number) {
    *(volatile uint16_t *)page = (uint16_t)(0xb800 | ((FIRST_TARGET + 8 * number - (LAST + 4)) >> 1 & 0x7ff));
    synchronise(page, 1);
}

/* What it is aimed at, or TARGETS: it is not there. */
static unsigned run(void) {
    uint64_t found = enter(CODE + LAST, T32_EL0);
    unsigned class = (unsigned)(READ_REGISTER("esr_el1") >> 26);
    if (class == SVC_AARCH32) return (unsigned)found;
    if (class == FETCH_ABORT) return TARGETS;
    print_line("straddle: ESR %x, ELR %x", READ_REGISTER("esr_el1"), READ_REGISTER("elr_el1"));
    power_off("straddle");
}

static unsigned before(uint32_t round) { return round % (TARGETS / 2); }
static unsigned after(uint32_t round) { return TARGETS / 2 + round % (TARGETS / 2); }

void guest_secondary(unsigned cpu) {
    (void)cpu;
    WRITE_REGISTER("vbar_el1", enter_vectors);
    isb();
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

static void map(const uint16_t *page) {
    *(volatile uint64_t *)&third_level[1] = page ? pa(page) | PAGE_DESCRIPTOR : 0;
    __asm__ volatile("dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" : : "r"((CODE >> 12) + 1) : "memory");
}

void guest_main(void) {
    const struct parameter known[] = {{"rounds", &rounds}, {"most", &most}};
    parameters_read("straddle", known, 2);
    write_targets();
    second_level[0] = pa(third_level) | TABLE_DESCRIPTOR;
    third_level[0] = pa(code) | PAGE_DESCRIPTOR;
    translation_table[CODE >> 30] = pa(second_level) | TABLE_DESCRIPTOR;
    __asm__ volatile("dsb ish\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
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
