/*
 * A neighbour that wants all of the shared cache and of the memory's bandwidth: each of its vCPUs writes a word of each line of
 * memory of its own and then reads it, or only writes, for ever. Whoever measures something beside it ends the run.
 */
#include "bulk.h"
#include "guest.h"
#include "parameters.h"

#define LINE 64

BULK(memory, 16);

static uint64_t size = 512 << 10, reads = 1; /* bytes of each vCPU */
static uint32_t started;

static void stream(unsigned cpu) {
    volatile uint8_t *mine = memory + cpu * size;
    for (;;) {
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
    const struct parameter known[] = {{"size", &size}, {"reads", &reads}};
    parameters_read("membound", known, sizeof known / sizeof *known);
    unsigned cpus = start_secondaries(MAX_CPUS);
    if (size < LINE || size * cpus > sizeof memory) {
        print_line("membound: needs a size of 64 B to %u MiB for all vCPUs together", (uint64_t)(sizeof memory >> 20));
        power_off("membound");
    }
    print_line("membound: %u vCPUs, each %s %u bytes", (uint64_t)cpus, reads ? "writes and reads" : "writes", size);
    STORE(&started, 1);
    stream(0);
}
