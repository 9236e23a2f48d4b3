/* All vCPUs (1 to 8) print at once, as fast as they can. Built twice: LINES each and then off, or for ever. */
#include "barrier.h"
#include "guest.h"

#define LINES 1000

static unsigned cpus;
static uint32_t started;

static void print(unsigned cpu) {
    for (uint64_t line = 0; FOREVER || line < LINES; line++) print_line("flood: vCPU %u, line %u", (uint64_t)cpu, line);
    barrier(cpus);
}

void guest_secondary(unsigned cpu) {
    while (!LOAD(&started)) yield();
    print(cpu);
    cpu_off();
}

void guest_main(void) {
    cpus = start_secondaries(MAX_CPUS);
    STORE(&started, 1);
    print(0);
    power_off("flood");
}
