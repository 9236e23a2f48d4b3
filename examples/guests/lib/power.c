/* From the entry code to the guest, other vCPUs, and the end. */
#include "guest.h"

uint64_t device_tree;

void guest_start(unsigned cpu, uint64_t tree) {
    if (cpu) {
        guest_secondary(cpu);
    } else {
        device_tree = tree;
        guest_main();
    }
}

__attribute__((weak)) void guest_secondary(unsigned cpu) { (void)cpu; }
__attribute__((weak)) void on_interrupt(unsigned intid) { (void)intid; }
__attribute__((weak)) bool on_exception(struct frame *frame, uint64_t cause, uint64_t address) {
    (void)frame, (void)cause, (void)address;
    return false;
}

/* The first that does not exist ends the search. */
unsigned start_secondaries(unsigned most) {
    unsigned count = 1;
    while (count < most && cpu_on(count, secondary_start, count) == 0) count++;
    return count;
}

void cpu_off(void) {
    mask_interrupts();
    cpu_off_call();
    for (;;) wfi();
}

void power_off(const char *name) {
    mask_interrupts();
    print_line("%s: done", name);
    int64_t refused = system_off();
    print_line("%s: " SYSTEM_OFF " returned %d, waiting", name, refused); /* as on Bao itself */
    for (;;) wfi();
}

#include "exceptions.h"
