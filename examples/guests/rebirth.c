/*
 * Two VMs that start anew again and again (the call that resets a VM) while each sends the other messages through shared memory,
 * with a notification for each, and answers the other's. Nobody has a timer: one notification that is lost to a VM that
 * lives, and both sleep for ever. Built twice, SIDE=0 and SIDE=1, which start anew at different rates.
 *
 * A VM resets itself with all answered, with a message under way, or from its second vCPU, which otherwise notifies the
 * other VM every 5 us. What is in shared memory stays; each side writes its own half only.
 */
#include "guest.h"

#define LIVES (16 + 4 * SIDE)
#define WORDS 4

struct half {
    _Alignas(64) uint64_t life, done;
    _Alignas(64) uint64_t sent, payload[WORDS];
    _Alignas(64) uint64_t answered;
    _Alignas(64) uint64_t flood;
};

static struct half *const mine = (struct half *)IPC_BASE + SIDE, *const theirs = (struct half *)IPC_BASE + !SIDE;
static const char *const name = SIDE ? "right" : "left";
static uint64_t initialized = 0x1234, zero, wrong, floods, lives;
static uint32_t resetting;

void on_interrupt(unsigned intid) {
    if (intid != IPC_INTID) wrong++;
}

static void check(bool right, const char *what) {
    if (right) return;
    wrong++;
    print_line("%s: wrong in life %u: %s", name, mine->life, what);
}

static void notify(void) {
    if (ipc_notify(0, 0)) check(false, "a notification was refused");
}

static void reset(void) {
    system_reset();
    print_line("%s: " SYSTEM_RESET " returned", name);
    power_off(name);
}

static void send(void) {
    uint64_t number = mine->sent + 1;
    for (unsigned i = 0; i < WORDS; i++) mine->payload[i] = number * (i + 3);
    STORE(&mine->sent, number);
    notify();
}

/* Answer what has come; whether all that was sent from here is answered. */
static bool settled(void) {
    uint64_t number = LOAD(&theirs->sent);
    if (number != mine->answered) {
        check(number == mine->answered + 1, "a message is missing");
        for (unsigned i = 0; i < WORDS; i++) check(theirs->payload[i] == number * (i + 3), "a message is not whole");
        STORE(&mine->answered, number);
        notify();
    }
    uint64_t flood = LOAD(&theirs->flood), life = LOAD(&theirs->life);
    check(flood >= floods && life >= lives, "shared memory went back");
    floods = flood;
    lives = life;
    return LOAD(&theirs->answered) == mine->sent;
}

void guest_secondary(unsigned cpu) {
    (void)cpu;
    while (!LOAD(&resetting)) {
        STORE(&mine->flood, mine->flood + 1);
        notify();
        for (uint64_t next = ticks() + ticks_per_second() / 200000; ticks() < next;) {}
    }
    reset();
}

void guest_main(void) {
    uint64_t life = ++mine->life;
    check(initialized == 0x1234 && !zero, "its own memory is not new");
    initialized = zero = life;
    irqc_init();
    irqc_init_cpu();
    irqc_enable(IPC_INTID);
    unsigned cpus = start_secondaries(2);
    SLEEP_UNTIL(settled());
    for (uint64_t i = 0; i < 1 + (life * 7 + SIDE) % 5; i++) {
        send();
        SLEEP_UNTIL(settled());
    }
    if (life < LIVES) {
        if (wrong) power_off(name);
        if (life % 3 == 1) send();
        if (life % 3 != 2 || cpus < 2) reset();
        STORE(&resetting, 1);
        SLEEP_UNTIL(settled() && false);
    }
    STORE(&mine->done, 1);
    notify();
    SLEEP_UNTIL(settled() && LOAD(&theirs->done));
    print_line("%s: %u lives, %u messages, %u answers, %u wrong", name, life, mine->sent, mine->answered, wrong);
    power_off(name);
}
