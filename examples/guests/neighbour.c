/* A VM that shares memory with another and notifies it all the time, with nothing to say. The other ends it. */
#include "neighbour.h"

#include "guest.h"
#include "parameters.h"

static struct neighbours *const shared = (struct neighbours *)IPC_BASE;
static uint64_t interval; /* nanoseconds; 0: quiet */

void on_interrupt(unsigned intid) {
    if (intid == TIMER_INTID) timer_off();
}

static void notify(void) { ipc_notify(0, 0); }

/* Once each interval. What comes too late, because the interval is too short, is not made up for. */
static uint64_t flood(uint64_t start) {
    uint64_t rung = 0, due = interval; /* nanoseconds since the start */
    for (;;) {
        uint64_t deadline = start + due * ticks_per_second() / 1000000000;
        if (ticks() < deadline) {
            timer_set(deadline);
            SLEEP_UNTIL(ticks() >= deadline || LOAD(&shared->stop));
        }
        if (LOAD(&shared->stop)) return rung;
        notify();
        rung++;
        uint64_t now = nanoseconds(ticks() - start);
        due = due + interval > now ? due + interval : now;
    }
}

void guest_main(void) {
    const struct parameter known[] = {{"interval", &interval}};
    parameters_read("neighbour", known, 1);
    irqc_init();
    irqc_init_cpu();
    irqc_enable(IPC_INTID);
    irqc_enable_level(TIMER_INTID);
    meet(&shared->neighbour, &shared->victim, notify);
    uint64_t start = ticks(), rung = 0;
    if (interval)
        rung = flood(start);
    else
        SLEEP_UNTIL(LOAD(&shared->stop));
    uint64_t elapsed = nanoseconds(ticks() - start);
    print_line("neighbour: rang %u times in %u ns, %u per second", rung, elapsed, rung * 1000000000 / elapsed);
    power_off("neighbour");
}
