/*
 * Who sleeps says so in the word it sleeps on (futex(2)) and then looks once more whether there is something; who has something
 * for it writes that first and then looks whether it sleeps. So one of them sees the other, and no wake is lost.
 */
#define _GNU_SOURCE
#include "bell.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pulse.h"

/* Of the host, in nanoseconds. */
#define SECOND 1000000000u
#define SOON 50000u
#define ROBBED 1000000u
#define PAUSE 100000000u
#define LONGEST_PAUSE (32ull * PAUSE)
#define LOOKS 16 /* between two at the host's clock */
#define MOST_IN_VAIN 1023u

static uint64_t least(uint64_t left, uint64_t right) { return left < right ? left : right; }

/* Whether it slept. */
static bool wake(struct slot *slot) {
    if (!(atomic_load(&slot->bell) & BELL_ASLEEP)) return false;
    if (atomic_fetch_and(&slot->bell, ~BELL_ASLEEP) & BELL_ASLEEP) /* nobody else has done it */
        syscall(SYS_futex, &slot->bell, FUTEX_WAKE, 1, NULL, NULL, 0);
    return true;
}

void bell_call(struct slot *slot) {
    atomic_fetch_or(&slot->bell, BELL_CALLED);
    wake(slot);
}

bool bell_answer(struct slot *slot) {
    return atomic_load(&slot->bell) & BELL_CALLED && atomic_fetch_and(&slot->bell, ~BELL_CALLED) & BELL_CALLED;
}

void bell_announce(struct slot *slot, unsigned source) {
    atomic_fetch_or(&slot->news[source / 64], UINT64_C(1) << source % 64);
    atomic_fetch_add_explicit(&slot->rung, 1, memory_order_relaxed);
    atomic_store_explicit(&slot->rung_by, source, memory_order_relaxed);
    if (wake(slot))
        atomic_fetch_add_explicit(&slot->woken, 1, memory_order_relaxed);
    else
        slot_kick(slot, KICK_DOORBELL);
}

static bool news(struct slot *slot, unsigned pcpus) {
    for (unsigned word = 0; word * 64 < pcpus; word++)
        if (atomic_load(&slot->news[word])) return true;
    return false;
}

static bool look(struct slot *slot, unsigned pcpus) {
    for (unsigned looks = 0; looks < LOOKS; looks++) {
        if (atomic_load(&slot->bell) & BELL_CALLED || news(slot, pcpus)) return true;
        __builtin_ia32_pause();
    }
    return false;
}

/* Whether there is something soon; `now`: when that was found, and `robbed` whether the host had others run meanwhile. */
static bool soon(struct slot *slot, unsigned pcpus, uint64_t *now, bool *robbed) {
    bool came = false;
    for (uint64_t begin = *now; !came && *now - begin < SOON;) {
        uint64_t before = *now;
        came = look(slot, pcpus);
        *now = pulse_now();
        *robbed |= *now - before > ROBBED;
    }
    return came;
}

/* Whether there is something; `now`: by then. */
static bool stays_awake(struct sleeper *sleeper, struct slot *slot, unsigned pcpus, uint64_t *now) {
    uint64_t last = sleeper->until;
    bool robbed = false, came = soon(slot, pcpus, now, &robbed);
    if (robbed) {
        sleeper->pause = *now - last < sleeper->pause ? least(2 * sleeper->pause, LONGEST_PAUSE) : PAUSE;
        sleeper->until = *now + sleeper->pause;
    }
    if (came)
        sleeper->vain /= 2;
    else
        sleeper->rest = sleeper->vain = (uint32_t)least(2 * sleeper->vain + 1, MOST_IN_VAIN);
    return came;
}

/* Whether it has been rung. */
static bool sleeps(struct slot *slot, unsigned pcpus, uint64_t limit) {
    struct timespec time = {.tv_sec = (time_t)(limit / SECOND), .tv_nsec = (long)(limit % SECOND)};
    bool passed = false;
    uint32_t before = atomic_fetch_or(&slot->bell, BELL_ASLEEP);
    if (!(before & BELL_CALLED) && !news(slot, pcpus))
        passed = syscall(SYS_futex, &slot->bell, FUTEX_WAIT, BELL_ASLEEP, &time, NULL, 0) && errno == ETIMEDOUT;
    atomic_fetch_and(&slot->bell, ~BELL_ASLEEP);
    return !passed;
}

bool bell_sleep(struct sleeper *sleeper, struct slot *slot, unsigned pcpus, uint64_t limit) {
    if (sleeper->rest) return sleeper->rest--, sleeps(slot, pcpus, limit);
    uint64_t begin = pulse_now(), now = begin;
    if (now < sleeper->until || limit < SOON) return sleeps(slot, pcpus, limit);
    return stays_awake(sleeper, slot, pcpus, &now) || sleeps(slot, pcpus, limit - least(now - begin, limit));
}
