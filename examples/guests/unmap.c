/*
 * Break before make. All vCPUs store to a page without end; one after the other takes its mapping away, and once the maintenance
 * of all TLBs has completed the page is its own: no store by the old translation may land any more. Then it maps another page
 * there. Stores are of several kinds; one reaches into the next page. Of pages that nobody writes to another is mapped at the same
 * time; who has seen that this is done must not read one from before. In the midst of the maintenance comes what completes
 * nothing, or leaves the guest: there is the same to wait for then.
 */
#include "guest.h"
#include "parameters.h"

#define MAPPED 0x300000000ull /* 12 GiB: entry 12 of the first-level table */
#define LINE 32 /* words a vCPU */
#define CANARY 0xc0ffee0000000000ull
#define LOOKS 200
#define CONSTANTS 8u
#define READ (MAPPED + 0x4000)
#define NOT_MAPPED (MAPPED + 0x8000)

static _Alignas(4096) uint64_t second_level[512], third_level[512];
static _Alignas(4096) uint64_t pages[3][512]; /* two that are mapped in turn, and what is behind either */
static _Alignas(4096) uint64_t constants[CONSTANTS][512]; /* each with its number */
static struct {
    _Alignas(64) uint64_t stored, faults, lost[6], looks, stale;
} state[MAX_CPUS];
static uint64_t rounds = 300;
static uint32_t started, turn;
static struct {
    _Alignas(4096) uint32_t round, unused; /* nobody reads the constant of an earlier round any more */
    char rest[4088];
} gone;
static unsigned cpus;

#include "unmap.h"

/*
 * What is read is of no mapping that had gone, nor of one that comes later. The acquire alone orders the load behind it, in the
 * same block of whoever translates code: nothing else is needed for a translation to be gone.
 */
static void look(unsigned cpu) {
    uint32_t before;
    uint64_t found = CONSTANTS;
    LOOK(state[cpu].looks & 1);
    uint32_t after = LOAD(&gone.round);
    state[cpu].looks++;
    if (found < CONSTANTS && after - before < CONSTANTS - 1 && (found - before) % CONSTANTS > after - before) state[cpu].stale++;
}
static bool is_kept(const volatile uint64_t *page) {
    for (unsigned n = 0; n < MAX_CPUS; n++)
        if (page[n * LINE] != (CANARY | n)) return false;
    return page[511] == CANARY;
}

/* The page is nobody else's now. */
static void take(unsigned cpu, uint32_t round) {
    volatile uint64_t *page = pages[round % 2];
    unsigned kind = round / cpus % 6;
    *(volatile uint64_t *)&third_level[0] = 0;
    *(volatile uint64_t *)&third_level[4] = 0;
    *(volatile uint32_t *)&gone.unused = round; /* the others wait for it while this goes on */
    invalidate(kind, round / cpus / 6 % 3, round / cpus % BETWEEN);
    STORE(&gone.round, round + 1);
    for (unsigned n = 0; n < MAX_CPUS; n++) page[n * LINE] = CANARY | n;
    page[511] = CANARY;
    bool kept = true;
    for (unsigned look = 0; look < LOOKS; look++) kept &= is_kept(page);
    if (!kept) state[cpu].lost[kind]++;
    *(volatile uint64_t *)&third_level[0] = open_page(pages[(round + 1) % 2]);
    *(volatile uint64_t *)&third_level[4] = open_page(constants[(round + 1) % CONSTANTS]);
    publish_entries();
}

static void work(unsigned cpu) {
    irqc_init_cpu();
    irqc_enable_level(TIMER_INTID);
    uint32_t round;
    for (uint64_t value = 0; (round = LOAD(&turn)) < rounds * cpus; value++) {
        if (round % cpus == cpu && value > 20) {
            take(cpu, round);
            STORE(&turn, round + 1);
            value = 0;
        }
        for (unsigned n = 0; n < 25; n++) {
            look(cpu);
            if (value % 4 == 0) store(cpu, value / 4 * 25 + n);
        }
    }
}

void guest_secondary(unsigned cpu) {
    while (!LOAD(&started)) yield();
    work(cpu);
    cpu_off();
}

void guest_main(void) {
    const struct parameter known[] = {{"rounds", &rounds}};
    parameters_read("unmap", known, 1);
    second_level[0] = table_at(third_level);
    for (unsigned n = 0; n < CONSTANTS; n++) constants[n][0] = n;
    third_level[4] = open_page(constants[0]);
    third_level[0] = open_page(pages[0]);
    third_level[1] = open_page(pages[2]);
    translation_table[MAPPED >> 30] = table_at(second_level);
    publish_tables();
    irqc_init();
    cpus = start_secondaries(MAX_CPUS);
    print_line("unmap: %u vCPUs, %u rounds", (uint64_t)cpus, rounds);
    STORE(&started, 1);
    work(0);
    uint64_t lost = 0;
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        uint64_t *of = state[cpu].lost;
        print_line("unmap: vCPU %u: %u stores, %u faults; pages that changed: " KINDS,
                   (uint64_t)cpu, state[cpu].stored, state[cpu].faults, of[0], of[1], of[2], of[3], of[4], of[5]);
        print_line("unmap: vCPU %u: %u loads, %u stale", (uint64_t)cpu, state[cpu].looks, state[cpu].stale);
        for (unsigned kind = 0; kind < 6; kind++) lost += of[kind];
        lost += state[cpu].stale;
    }
    print_line("unmap: %s", lost ? "FAILED" : "all kept");
    power_off("unmap");
}
