/*
 * Messages of a chosen size between two VMs, there and back. Built twice: PING=1 asks, PING=0 answers.
 *
 * A side copies a message into its own buffer of the shared memory, then tells its number and notifies the other, which
 * copies it out: four copies a round trip, as with a mailbox that does not lend its memory. What comes back must be what
 * was sent. PONG can have a neighbour on a second shared memory object that only notifies it (neighbour.c).
 */
#include "guest.h"
#include "mark.h"
#include "meet.h"
#include "message.h"
#include "neighbour.h"
#include "parameters.h"
#include "samples.h"

#define MOST (256u << 10) /* bytes of a message */
#define STOP UINT64_MAX
#define ROUND_TRIP 1 /* id of the markers */

struct side {
    struct meeting meeting;
    uint64_t size; /* what PING wants, told before they meet */
    _Alignas(64) uint64_t sequence;
};

static struct side *const sides = (struct side *)IPC_BASE;
static uint8_t *const buffers = (uint8_t *)IPC_BASE + 4096;
static struct side *mine, *theirs;
static uint8_t *my_buffer, *their_buffer;
static _Alignas(64) uint8_t received[MOST];
static uint64_t size = 64;
static uint64_t from_neighbour;
static bool rung, resting;
static const char *name;

void on_interrupt(unsigned intid) {
    if (intid == TIMER_INTID) {
        timer_off();
        STORE(&resting, false);
    } else if (intid == IPC_INTID) {
        STORE(&rung, true);
    } else if (intid == SECOND_IPC_INTID) {
        from_neighbour++;
    }
}

static void notify(void) {
    int64_t result = ipc_notify(0, 0);
    if (result) {
        print_line("%s: notification refused (%d)", name, result);
        power_off(name);
    }
}

/* Many registers at once, as a library's memcpy does it; the rest by words and bytes. Both are aligned to 64. */
static void copy(void *to, const void *from, uint64_t bytes) {
    uint64_t a, b, c, d;
    for (; bytes >= 64; bytes -= 64)
        COPY_64(to, from, a, b, c, d);
    for (; bytes >= 8; bytes -= 8, to = (uint64_t *)to + 1, from = (const uint64_t *)from + 1)
        *(volatile uint64_t *)to = *(const volatile uint64_t *)from;
    __builtin_memcpy(to, from, bytes);
}

static void tell(const void *message, uint64_t sequence) {
    copy(my_buffer, message, size);
    STORE(&mine->sequence, sequence);
    notify();
}

/*
 * Until the other side has told another number than `known`. It is believed when its notification is there, not when
 * something else has woken this vCPU: in virtual time another VM's stores may be seen earlier, by less than a window.
 */
static uint64_t hear(uint64_t known) {
    for (;;) {
        SLEEP_UNTIL(LOAD(&rung));
        STORE(&rung, false);
        uint64_t sequence = LOAD(&theirs->sequence);
        if (sequence != known) return sequence;
    }
}

#if PING
static _Alignas(64) uint8_t sent[MOST];
static uint64_t count = 1000, warmup = 10, pause, seed = 1;

/* Every message is another one: a number in front, pseudo-random bytes behind (a linear congruential generator). */
static uint64_t random(void) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 33;
}

static void make(uint64_t sequence) {
    for (uint64_t i = 0; i < size && i < 8; i++) sent[i] = (uint8_t)(sequence >> 8 * i);
    if (size > 8) sent[8 + random() % (size - 8)] = (uint8_t)random();
}

static bool intact(void) {
    uint64_t different = 0, at = 0;
    for (; at + 8 <= size; at += 8) different |= *(uint64_t *)(sent + at) ^ *(uint64_t *)(received + at);
    for (; at < size; at++) different |= sent[at] ^ received[at];
    return !different;
}

/* Sleeps for a random time of up to twice `pause`, so that messages keep no step with anything else in the machine. */
static void rest(void) {
    if (!pause) return;
    uint64_t time = random() % (2 * pause) * ticks_per_second() / 1000000000;
    resting = true;
    timer_set(ticks() + time);
    SLEEP_UNTIL(!LOAD(&resting));
}

static uint64_t round_trip(uint64_t sequence, bool measured) {
    make(sequence);
    rest();
    uint64_t start = ticks();
    if (measured) MARK_BEGIN(ROUND_TRIP);
    tell(sent, sequence);
    hear(sequence - 1);
    copy(received, their_buffer, size);
    if (measured) {
        MARK_NUMBER(ROUND_TRIP, 2 * size); /* bytes that went over */
        MARK_END(ROUND_TRIP);
    }
    return ticks() - start;
}

static void talk(void) {
    uint64_t wrong = 0;
    for (uint64_t sequence = 1; sequence <= warmup + count; sequence++) {
        uint64_t taken = round_trip(sequence, sequence > warmup);
        if (sequence > warmup) samples_add(taken);
        if (!intact()) wrong++;
    }
    samples_sort();
    print_line("ping: %u round trips of %u B, min/p50/p99/max %u/%u/%u/%u ns, %u wrong", count, size,
               samples_permille(0), samples_permille(500), samples_permille(990), samples_permille(1000), wrong);
    STORE(&mine->sequence, STOP);
    notify();
}

static void prepare(void) {
    const struct parameter known[] = {
        {"size", &size}, {"count", &count}, {"warmup", &warmup}, {"pause", &pause}, {"seed", &seed}};
    parameters_read(name, known, sizeof known / sizeof *known);
    if (!size || size > MOST || !count || !seed) {
        print_line("ping: size is 1 to %u, count and seed are 1 or more", (uint64_t)MOST);
        power_off(name);
    }
    for (uint64_t i = 0; i < size; i++) sent[i] = (uint8_t)random();
    mine->size = size;
}
#else
static struct neighbours *const neighbours = (struct neighbours *)SECOND_IPC_BASE;
static uint64_t neighbour;

static void notify_neighbour(void) { ipc_notify(1, 0); }

static void talk(void) {
    uint64_t sequence = 0, answered = 0;
    size = theirs->size;
    for (;;) {
        sequence = hear(sequence);
        if (sequence == STOP) break;
        copy(received, their_buffer, size);
        tell(received, sequence);
        answered++;
    }
    print_line("pong: answered %u", answered);
    if (!neighbour) return;
    print_line("pong: %u interrupts by the neighbour", from_neighbour);
    STORE(&neighbours->stop, true);
    notify_neighbour();
}

static void prepare(void) {
    const struct parameter known[] = {{"neighbour", &neighbour}};
    parameters_read(name, known, sizeof known / sizeof *known);
    if (!neighbour) return;
    irqc_enable(SECOND_IPC_INTID);
    neighbours->stop = false;
    meet(&neighbours->victim, &neighbours->neighbour, notify_neighbour);
}
#endif

void guest_main(void) {
    name = PING ? "ping" : "pong";
    mine = &sides[PING ? 0 : 1];
    theirs = &sides[PING ? 1 : 0];
    my_buffer = buffers + (PING ? 0 : MOST);
    their_buffer = buffers + (PING ? MOST : 0);
    irqc_init();
    irqc_init_cpu();
    irqc_enable(IPC_INTID);
    irqc_enable_level(TIMER_INTID);
    prepare();
    mine->sequence = 0;
    meet(&mine->meeting, &theirs->meeting, notify);
    talk();
    power_off(name);
}
