/*
 * What sharing costs: each vCPU adds to a number of its own, so many bytes (`distance`) from the next one's. All of them are in
 * one page; less than a cache line apart they are in one line, which goes from core to core (false sharing). 0: it is one number,
 * and they take turns.
 */
#include "barrier.h"
#include "guest.h"
#include "parameters.h"

#define PAGE 4096

static uint64_t rounds = 100000, distance = 64;
static _Alignas(PAGE) uint8_t page[PAGE];
static unsigned cpus;
static uint32_t started;

static volatile uint64_t *number(unsigned cpu) { return (volatile uint64_t *)&page[cpu * distance]; }

static void add(unsigned cpu) {
    for (uint64_t n = 0; n < rounds; n++) {
        if (!distance)
            while (*number(0) % cpus != cpu) {}
        *number(cpu) = *number(cpu) + 1;
    }
}

static void work(unsigned cpu) {
    barrier(cpus);
    uint64_t begin = ticks();
    add(cpu);
    barrier(cpus);
    if (cpu) return;
    uint64_t taken = nanoseconds(ticks() - begin), sum = 0;
    for (unsigned each = 0; each < (distance ? cpus : 1); each++) sum += *number(each);
    print_line("sharing: %u vCPUs, %u bytes apart: %u additions in %u ns, %s", (uint64_t)cpus, distance, sum, taken,
               sum == cpus * rounds ? "ok" : "WRONG");
}

void guest_secondary(unsigned cpu) {
    while (!LOAD(&started)) yield();
    work(cpu);
    cpu_off();
}

void guest_main(void) {
    const struct parameter known[] = {{"rounds", &rounds}, {"distance", &distance}};
    parameters_read("sharing", known, sizeof known / sizeof *known);
    cpus = start_secondaries(PAGE / 64 < MAX_CPUS ? PAGE / 64 : MAX_CPUS);
    if (distance % 8 || distance > PAGE / cpus) {
        print_line("sharing: %u vCPUs cannot have numbers %u bytes apart in a page", (uint64_t)cpus, distance);
        power_off("sharing");
    }
    STORE(&started, 1);
    work(0);
    power_off("sharing");
}
