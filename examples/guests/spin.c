/* All vCPUs (1 to 8) count for ever, in registers: what an instruction costs where nothing else happens. */
#include "guest.h"

static uint32_t started;

static void spin(void) {
    __asm__ volatile(
        "1: add x0, x0, #1\n"
        "eor x1, x1, x0\n"
        "add x2, x2, x1, lsl #3\n"
        "sub x3, x3, x2\n"
        "b 1b"
        :
        :
        : "x0", "x1", "x2", "x3");
    __builtin_unreachable();
}

void guest_secondary(unsigned cpu) {
    (void)cpu;
    while (!LOAD(&started)) __asm__ volatile("yield" : : : "memory");
    spin();
}

void guest_main(void) {
    print_line("spin: %u vCPUs", (uint64_t)start_secondaries(MAX_CPUS));
    STORE(&started, 1);
    spin();
}
