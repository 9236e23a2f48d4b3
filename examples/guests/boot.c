/*
 * Starts as an operating system does, in small: clears its memory, sets up its interrupts, and finds a number of
 * devices, each of which it waits for. Then it is ready, and ends.
 */
#include "guest.h"
#include "mark.h"
#include "parameters.h"

#define MOST (8u << 20)
#define READY 1 /* id of the marker */

static uint64_t memory = 4 << 20, devices = 20, wait = 200000; /* bytes; nanoseconds */
static _Alignas(64) uint64_t cleared[MOST / 8];
static bool found;

void on_interrupt(unsigned intid) {
    if (intid != TIMER_INTID) return;
    timer_off();
    STORE(&found, true);
}

void guest_main(void) {
    const struct parameter known[] = {{"memory", &memory}, {"devices", &devices}, {"wait", &wait}};
    parameters_read("boot", known, sizeof known / sizeof *known);
    if (memory > MOST) memory = MOST;
    for (uint64_t i = 0; i < memory / 8; i++) STORE(&cleared[i], 0);
    print_line("boot: %u KiB of memory", memory >> 10);
    irqc_init();
    irqc_init_cpu();
    irqc_enable_level(TIMER_INTID);
    for (uint64_t device = 1; device <= devices; device++) {
        STORE(&found, false);
        timer_set(ticks() + wait * ticks_per_second() / 1000000000);
        SLEEP_UNTIL(LOAD(&found));
        print_line("boot: device %u of %u", device, devices);
    }
    MARK_NUMBER(READY, devices);
    print_line("boot: ready");
    power_off("boot");
}
