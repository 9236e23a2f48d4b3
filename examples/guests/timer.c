/* How late a periodic 1 ms virtual timer wakes a vCPU that waits in WFI. */
#include "guest.h"
#include "samples.h"

#define TICKS 1000

static uint64_t deadline, period, ticked, missed;

void on_interrupt(unsigned intid) {
    if (intid != TIMER_INTID) return;
    uint64_t now = ticks();
    samples_add(now - deadline);
    STORE(&ticked, ticked + 1);
    for (deadline += period; deadline <= now; deadline += period) missed++;
    timer_set(deadline);
}

void guest_main(void) {
    irqc_init();
    irqc_init_cpu();
    irqc_enable_level(TIMER_INTID);
    period = ticks_per_second() / 1000;
    print_line("timer: %u ticks of 1 ms", (uint64_t)TICKS);
    deadline = ticks() + period;
    timer_set(deadline);
    SLEEP_UNTIL(LOAD(&ticked) >= TICKS);
    mask_interrupts();
    timer_off();
    samples_sort();
    print_line("timer: latency min/p50/p90/p99/max %u/%u/%u/%u/%u ns, %u periods missed", samples_permille(0),
               samples_permille(500), samples_permille(900), samples_permille(990), samples_permille(1000), missed);
    power_off("timer");
}
