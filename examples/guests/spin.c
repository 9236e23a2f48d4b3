/* All vCPUs (1 to 8) count for ever, in registers: what an instruction costs where nothing else happens. */
#include "guest.h"

#include "spin.h"

static uint32_t started;

void guest_secondary(unsigned cpu) {
    (void)cpu;
    while (!LOAD(&started)) yield();
    spin();
}

void guest_main(void) {
    print_line("spin: %u vCPUs", (uint64_t)start_secondaries(MAX_CPUS));
    STORE(&started, 1);
    spin();
}
