/*
 * Stays at the same time, on threads of this process that wait for such work. They are short, so a thread that has done
 * some spins for a while before it sleeps; and the one that asks takes every stay that no other has begun, so that a thread
 * to which the host gives no core holds nobody up.
 */
#define _GNU_SOURCE
#include "stay.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "run.h"

/* Whether a core that was left for `reason` has something for its hypervisor, or for whoever looks after it. */
static bool is_out(const struct core *core, int reason) {
    if (reason == EXIT_WFI || reason > EXIT_KICKED) return true;
    if (core->outbox && PyList_GET_SIZE(core->outbox)) return true;
    return core->state.storm_seen && !core->state.storm_told;
}

static bool interrupted_by_host(const struct core *core, const struct outcome *outcome) {
    return !outcome->out && !core->scratch.blocked && !core->scratch.yielded && outcome->reason != EXIT_ERROR;
}

void stay_run(struct stay *stay) {
    struct core *core = stay->core;
    const struct order *order = &stay->order;
    struct outcome *outcome = &stay->outcome;
    core->scratch.frozen = core->scratch.silent = order->frozen;
    core->scratch.polite = order->polite;
    do {
        outcome->reason = core_run_until(core, order->limit);
        outcome->out = !core->scratch.blocked && is_out(core, outcome->reason);
        outcome->clock = clock_now(core);
    } while (outcome->clock < order->limit && interrupted_by_host(core, outcome) && host_now() < order->deadline);
    core->scratch.frozen = core->scratch.silent = false;
    outcome->blocked = core->scratch.blocked;
    outcome->yielded = core->scratch.yielded;
    if (!outcome->yielded || outcome->out || !order->patient || outcome->clock >= order->limit) return;
    clock_skip(core, order->limit - outcome->clock);
    outcome->clock = clock_now(core);
}

#define SPINS 4000          /* some 40 us */
#define WORTH_WAKING 20000u /* cycles: what takes the host less than waking somebody does is done at once */

static struct {
    _Atomic uint64_t next; /* the batch in the upper half, its next stay in the lower */
    _Atomic uint32_t batch, done, sleepers;
    struct stay *stays;
    unsigned count;
    unsigned threads;
    pid_t process;
} pool;

#define BATCH(next) ((uint32_t)((next) >> 32))

static void work(uint32_t batch) {
    for (;;) {
        uint64_t next = atomic_load(&pool.next);
        if (BATCH(next) != batch || (uint32_t)next >= pool.count) return;
        if (!atomic_compare_exchange_weak(&pool.next, &next, next + 1)) continue;
        stay_run(&pool.stays[(uint32_t)next]);
        atomic_fetch_add(&pool.done, 1);
    }
}

static void sleep_until_asked(uint32_t seen) {
    atomic_fetch_add(&pool.sleepers, 1);
    while (atomic_load(&pool.batch) == seen) syscall(SYS_futex, &pool.batch, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    atomic_fetch_sub(&pool.sleepers, 1);
}

static void *worker(void *unused) {
    (void)unused;
    uint32_t seen = 0;
    for (;;) {
        for (unsigned spins = 0; atomic_load(&pool.batch) == seen; spins++) {
            if (spins < SPINS)
                __builtin_ia32_pause();
            else
                sleep_until_asked(seen);
        }
        seen = atomic_load(&pool.batch);
        work(seen);
    }
    return NULL;
}

/* They take no signals, which are for the thread that has Python. */
static void start(unsigned threads) {
    if (pool.process != getpid()) { /* forked: the threads of the parent are not here */
        pool.process = getpid();
        pool.threads = pool.sleepers = 0;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    for (; pool.threads + 1 < threads; pool.threads++)
        if (pthread_create(&thread, &attributes, worker, NULL)) break; /* fewer do as well */
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static bool worth_waking(const struct stay *stays, unsigned count) {
    uint64_t cycles = 0;
    for (unsigned i = 0; i < count; i++) cycles += stays[i].order.limit - clock_now(stays[i].core);
    return cycles >= WORTH_WAKING;
}

void stays_run(struct stay *stays, unsigned count, unsigned threads) {
    if (threads < 2 || count < 2) {
        for (unsigned i = 0; i < count; i++) stay_run(&stays[i]);
    } else {
        if (pool.threads + 1 < threads || pool.process != getpid()) start(threads);
        pool.stays = stays;
        pool.count = count;
        atomic_store(&pool.done, 0);
        uint32_t batch = atomic_load(&pool.batch) + 1;
        atomic_store(&pool.next, (uint64_t)batch << 32);
        atomic_store(&pool.batch, batch);
        if (atomic_load(&pool.sleepers) && worth_waking(stays, count))
            syscall(SYS_futex, &pool.batch, FUTEX_WAKE_PRIVATE, (int)(threads - 1), NULL, NULL, 0);
        work(batch);
        for (unsigned spins = 0; atomic_load(&pool.done) < count; spins++) {
            __builtin_ia32_pause();
            if (spins > SPINS) sched_yield();
        }
    }
}
