/*
 * Two VMs that talk through shared memory and notifications. Built twice: PING=1 asks, PING=0 answers.
 *
 * When they have met, each side writes its own half only: `sequence` is the number of the message that its `payload`
 * holds.
 */
#include "guest.h"
#include "meet.h"
#include "samples.h"

#define BATCHES 5
#define ROUND_TRIPS 2000
#define WORDS 4
#define STOP UINT64_MAX

struct half {
    struct meeting meeting;
    _Alignas(64) uint64_t sequence;
    uint64_t payload[WORDS];
};

static struct half *const halves = (struct half *)IPC_BASE;
static struct half *mine, *theirs;
static const char *name;
static uint64_t notifications;

void on_interrupt(unsigned intid) {
    if (intid == TIMER_INTID)
        timer_off();
    else if (intid == IPC_INTID)
        notifications++;
}

static void notify(void) {
    int64_t result = ipc_notify(0, 0);
    if (result) {
        print_line("%s: notification refused (%d)", name, result);
        power_off(name);
    }
}

static void tell(uint64_t sequence) {
    for (unsigned i = 0; i < WORDS; i++) mine->payload[i] = sequence * (i + 3);
    STORE(&mine->sequence, sequence);
    notify();
}

static bool intact(uint64_t sequence) {
    for (unsigned i = 0; i < WORDS; i++)
        if (theirs->payload[i] != sequence * (i + 3)) return false;
    return true;
}

#if PING
static void batch(uint64_t number) {
    uint64_t wrong = 0, first = (number - 1) * ROUND_TRIPS + 1;
    samples_clear();
    uint64_t start = ticks(), last = start;
    for (uint64_t sequence = first; sequence < first + ROUND_TRIPS; sequence++) {
        tell(sequence);
        SLEEP_UNTIL(LOAD(&theirs->sequence) == sequence);
        if (!intact(sequence)) wrong++;
        uint64_t now = ticks();
        samples_add(now - last);
        last = now;
    }
    uint64_t elapsed = nanoseconds(last - start);
    samples_sort();
    print_line("ping: batch %u: %u round trips in %u ns, min/avg/max %u/%u/%u ns, %u per second, %u wrong", number,
               (uint64_t)ROUND_TRIPS, elapsed, samples_permille(0), samples_average(), samples_permille(1000),
               ROUND_TRIPS * 1000000000ull / elapsed, wrong);
}

static void talk(void) {
    for (uint64_t number = 1; number <= BATCHES; number++) batch(number);
    tell(STOP);
    print_line("ping: %u notifications came", notifications);
}
#else
static void talk(void) {
    uint64_t sequence = 0, answered = 0, wrong = 0;
    for (;;) {
        SLEEP_UNTIL(LOAD(&theirs->sequence) != sequence);
        sequence = LOAD(&theirs->sequence);
        if (sequence == STOP) break;
        if (!intact(sequence)) wrong++;
        tell(sequence);
        answered++;
    }
    print_line("pong: answered %u, %u wrong, %u notifications came", answered, wrong, notifications);
}
#endif

void guest_main(void) {
    name = PING ? "ping" : "pong";
    mine = &halves[PING ? 0 : 1];
    theirs = &halves[PING ? 1 : 0];
    irqc_init();
    irqc_init_cpu();
    irqc_enable(IPC_INTID);
    irqc_enable_level(TIMER_INTID);
    print_line("%s: waiting for the other VM", name);
    mine->sequence = 0;
    meet(&mine->meeting, &theirs->meeting, notify);
    print_line("%s: met the other VM", name);
    talk();
    power_off(name);
}
