/*
 * A neighbour that wants all of the shared cache and of the memory's bandwidth: each of its vCPUs writes a word of each line of
 * memory of its own and then reads it, or only writes, for ever. With a size of 0 it is quiet: what it does to others is the
 * difference. Whoever measures something beside it ends the run.
 */
#include "bulk.h"
#include "guest.h"
#include "parameters.h"

#define LINE 64

BULK(memory, 16);

static uint64_t size = 512 << 10, reads = 1, after; /* bytes of each vCPU; nanoseconds */
static uint32_t started;

/* Sleeps, with interrupts masked: one that is pending ends a WFI all the same. */
static void sleep_until_it_is_time(void) {
    uint64_t begin = after * ticks_per_second() / 1000000000;
    irqc_init_cpu();
    irqc_enable_level(TIMER_INTID);
    timer_set(begin);
    while (ticks() < begin) wfi();
    timer_off();
}

static void stream(unsigned cpu) {
    if (after) sleep_until_it_is_time();
    volatile uint8_t *mine = memory + cpu * size;
    for (;;) {
        while (!size) wfi(); /* interrupts are masked, and none is enabled */
        for (uint64_t at = 0; at < size; at += LINE) *(volatile uint64_t *)&mine[at] = at;
        if (!reads) continue;
        for (uint64_t at = 0; at < size; at += LINE) (void)*(volatile uint64_t *)&mine[at];
    }
}

void guest_secondary(unsigned cpu) {
    while (!LOAD(&started)) yield();
    stream(cpu);
}

void guest_main(void) {
    const struct parameter known[] = {{"size", &size}, {"reads", &reads}, {"after", &after}};
    parameters_read("membound", known, sizeof known / sizeof *known);
    irqc_init();
    unsigned cpus = start_secondaries(MAX_CPUS);
    if (size > sizeof memory / cpus) {
        print_line("membound: needs a size of %u MiB at most for all vCPUs together", (uint64_t)(sizeof memory >> 20));
        power_off("membound");
    }
    if (size)
        print_line("membound: %u vCPUs, each %s %u bytes", (uint64_t)cpus, reads ? "writes and reads" : "writes", size);
    else
        print_line("membound: %u vCPUs, quiet", (uint64_t)cpus);
    STORE(&started, 1);
    stream(0);
}
