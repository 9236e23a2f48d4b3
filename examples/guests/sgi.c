/*
 * Two vCPUs that wake each other by software generated interrupts; both wait in WFI. With `spin=1` the first looks in memory
 * for the answer, without WFI, WFE or YIELD, and the second sends no SGI.
 */
#include "guest.h"
#include "parameters.h"

#define BATCHES 5
#define ROUND_TRIPS 2000
#define SGI 1

static uint64_t came[2]; /* SGIs that each vCPU took */
static uint32_t ready;
static uint64_t spin;

void on_interrupt(unsigned intid) {
    if (intid != SGI) return;
    unsigned cpu = this_cpu();
    STORE(&came[cpu], came[cpu] + 1);
}

void guest_secondary(unsigned cpu) {
    (void)cpu;
    irqc_init_cpu();
    irqc_enable_level(SGI);
    STORE(&ready, 1);
    for (uint64_t next = 1; next <= BATCHES * ROUND_TRIPS; next++) {
        SLEEP_UNTIL(LOAD(&came[1]) >= next);
        if (!spin) irqc_send(SGI, 0);
    }
    cpu_off();
}

void guest_main(void) {
    parameters_read("sgi", (const struct parameter[]){{"spin", &spin}}, 1);
    irqc_init();
    irqc_init_cpu();
    irqc_enable_level(SGI);
    if (start_secondaries(2) < 2) {
        print_line("sgi: needs 2 vCPUs");
        power_off("sgi");
    }
    while (!LOAD(&ready)) {}
    uint64_t next = 0;
    for (uint64_t number = 1; number <= BATCHES; number++) {
        uint64_t start = ticks();
        for (unsigned i = 0; i < ROUND_TRIPS; i++) {
            next++;
            irqc_send(SGI, 1);
            if (spin) {
                while (LOAD(&came[1]) < next) {}
            } else {
                SLEEP_UNTIL(LOAD(&came[0]) >= next);
            }
        }
        uint64_t elapsed = nanoseconds(ticks() - start);
        print_line("sgi: batch %u: %u round trips in %u ns, %u per second", number, (uint64_t)ROUND_TRIPS, elapsed,
                   ROUND_TRIPS * 1000000000ull / elapsed);
    }
    print_line("sgi: sent %u, came %u", next, LOAD(&came[spin ? 1 : 0]));
    power_off("sgi");
}
