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
__attribute__((weak)) bool on_exception(struct frame *frame, uint64_t esr, uint64_t far) {
    (void)frame, (void)esr, (void)far;
    return false;
}

/* The first that does not exist ends the search. */
unsigned start_secondaries(unsigned most) {
    unsigned count = 1;
    while (count < most && hvc(PSCI_CPU_ON, affinity_of(count), (uintptr_t)secondary_start, count) == 0) count++;
    return count;
}

void cpu_off(void) {
    mask_interrupts();
    hvc(PSCI_CPU_OFF, 0, 0, 0);
    for (;;) wfi();
}

void power_off(const char *name) {
    mask_interrupts();
    print_line("%s: done", name);
    int64_t refused = hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
    print_line("%s: SYSTEM_OFF returned %d, waiting", name, refused); /* as on Bao itself */
    for (;;) wfi();
}

void guest_unexpected(struct frame *frame, uint64_t vector) {
    print_line("exception: vCPU %u, vector %u, ESR %x, FAR %x, ELR %x", (uint64_t)this_cpu(), vector,
               READ_REGISTER("esr_el1"), READ_REGISTER("far_el1"), frame->elr);
    power_off("exception");
}

/* Called by the vector of synchronous exceptions. */
void guest_synchronous(struct frame *frame) {
    if (!on_exception(frame, READ_REGISTER("esr_el1"), READ_REGISTER("far_el1"))) guest_unexpected(frame, 4);
}
