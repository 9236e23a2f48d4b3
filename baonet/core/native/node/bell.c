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
    if (!wake(slot)) slot_kick(slot, KICK_DOORBELL);
}

static bool news(struct slot *slot, unsigned pcpus) {
    for (unsigned word = 0; word * 64 < pcpus; word++)
        if (atomic_load(&slot->news[word])) return true;
    return false;
}

bool bell_sleep(struct slot *slot, unsigned pcpus, const struct timespec *limit) {
    bool passed = false;
    uint32_t before = atomic_fetch_or(&slot->bell, BELL_ASLEEP);
    if (!(before & BELL_CALLED) && !news(slot, pcpus))
        passed = syscall(SYS_futex, &slot->bell, FUTEX_WAIT, BELL_ASLEEP, limit, NULL, 0) && errno == ETIMEDOUT;
    atomic_fetch_and(&slot->bell, ~BELL_ASLEEP);
    return !passed;
}
