/*
 * How late interrupts reach a guest. Built twice: TIMER=1 has a periodic timer and measures how long after the deadline
 * its handler runs; it then notifies TIMER=0, which measures how long that takes. Each waits in WFI, or works all the
 * time when it is told `busy=1`. The time on the way is told by a marker too, where the counter is coarse.
 */
#include "guest.h"
#include "mark.h"
#include "meet.h"
#include "parameters.h"
#include "samples.h"

#define STOP UINT64_MAX
#define TIMER_LATENCY 1 /* ids of the markers */
#define IPC_LATENCY 2

static struct shared {
    struct meeting timer, ipc;
    _Alignas(64) uint64_t sent; /* when, by the virtual counter, which all VMs share; 0: never yet; or STOP */
} *const shared = (struct shared *)IPC_BASE;

static uint64_t period = 100000, count = 1000, busy; /* period: nanoseconds */
static uint64_t came, measured, work;
static bool stopped;
static const char *const name = TIMER ? "timer" : "ipc";

static void notify(void) {
    int64_t result = ipc_notify(0, 0);
    if (result) {
        print_line("%s: notification refused (%d)", name, result);
        power_off(name);
    }
}

static void sample(unsigned id, uint64_t since) {
    uint64_t late = ticks() - since;
    MARK_NUMBER(id, nanoseconds(late));
    samples_add(late);
    measured++;
}

#if TIMER
static uint64_t start, deadline;
static bool meeting = true;

void on_interrupt(unsigned intid) {
    if (intid != TIMER_INTID) return;
    if (LOAD(&meeting)) {
        timer_off();
        return;
    }
    if (came < count) sample(TIMER_LATENCY, deadline);
    STORE(&came, came + 1);
    deadline = start + (came + 1) * period * ticks_per_second() / 1000000000;
    timer_set(deadline);
}
#else
static uint64_t last;

void on_interrupt(unsigned intid) {
    if (intid == TIMER_INTID) timer_off();
    if (intid != IPC_INTID) return;
    uint64_t sent = LOAD(&shared->sent);
    if (sent == STOP)
        STORE(&stopped, true);
    else if (sent != last) /* else it is one of those of the meeting */
        sample(IPC_LATENCY, last = sent);
    STORE(&came, came + 1);
}
#endif

/* Until one more interrupt has come, or the end. */
static void wait(uint64_t seen) {
    if (!busy) {
        SLEEP_UNTIL(LOAD(&came) != seen || LOAD(&stopped));
        return;
    }
    while (LOAD(&came) == seen && !LOAD(&stopped)) work = work * 6364136223846793005u + 1;
}

static void measure(void) {
#if TIMER
    shared->sent = 0;
    meet(&shared->timer, &shared->ipc, notify);
    STORE(&meeting, false);
    start = ticks();
    deadline = start + period * ticks_per_second() / 1000000000;
    timer_set(deadline);
    for (uint64_t seen = 0; seen < count; seen++) {
        wait(seen);
        STORE(&shared->sent, ticks());
        notify();
    }
    wait(count); /* the last notification has its time too */
    mask_interrupts();
    timer_off();
    STORE(&shared->sent, STOP);
    notify();
#else
    meet(&shared->ipc, &shared->timer, notify);
    while (!LOAD(&stopped)) wait(came);
#endif
}

void guest_main(void) {
    const struct parameter known[] = {{"busy", &busy}, {"period", &period}, {"count", &count}};
    parameters_read(name, known, TIMER ? 3 : 1);
    irqc_init();
    irqc_init_cpu();
    irqc_enable(IPC_INTID);
    irqc_enable_level(TIMER_INTID);
    measure();
    samples_sort();
    print_line("%s: %u interrupts, latency min/p50/p99/max %u/%u/%u/%u ns", name, measured, samples_permille(0),
               samples_permille(500), samples_permille(990), samples_permille(1000));
    power_off(name);
}
