/*
 * Stays at the same time, on threads of this process and in other processes. They are short, so a thread that has done some
 * spins for a while before it sleeps; and the one that asks takes every stay of its process that no other has begun, so that
 * a thread to which the host gives no core holds nobody up.
 */
#define _GNU_SOURCE
#include "stay.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "clock.h"
#include "futex.h"
#include "patience.h"
#include "run.h"
#include "storm.h"
#include "uart.h"

/* Whether a core that was left for `reason` has something for its hypervisor, or for whoever looks after it. */
static bool is_out(const struct core *core, int reason) {
    if (reason == EXIT_WFI || reason > EXIT_KICKED) return true;
    if (core->outbox && PyList_GET_SIZE(core->outbox)) return true;
    return storm_is_untold(core);
}

static bool interrupted_by_host(const struct core *core, const struct outcome *outcome) {
    return !outcome->out && !core->scratch.blocked && !core->scratch.yielded && outcome->reason != EXIT_ERROR;
}

static void perform(struct core *core, const struct order *order, struct outcome *outcome) {
    core->scratch.frozen = core->scratch.silent = order->frozen;
    core->scratch.polite = order->polite;
    do {
        outcome->reason = core_run_until(core, order->limit);
        outcome->out = !core->scratch.blocked && is_out(core, outcome->reason);
        outcome->clock = clock_now(core);
    } while (outcome->clock < order->limit && interrupted_by_host(core, outcome) && host_now() < order->deadline);
    core->scratch.frozen = core->scratch.silent = false;
    outcome->blocked = core->scratch.blocked;
    outcome->fought = core->scratch.blocked && core->scratch.need.page;
    outcome->yielded = core->scratch.yielded;
    outcome->printed = uart_has_output(core);
    if (!outcome->yielded || outcome->out || !order->patient || outcome->clock >= order->limit) return;
    clock_skip(core, order->limit - outcome->clock);
    outcome->clock = clock_now(core);
}

#define WORTH_HANDING_OVER 1500u /* of a stay: to hand one over costs about half of that */
#define WORTH_LETTING_GO 16384u /* cycles of stays, for which others may have Python: to let go of it costs as much as some 100 */
#define WORTH_WAKING 30000u /* what others could have done beside this thread, since somebody was last woken */

static struct {
    _Atomic uint64_t next; /* the number of the batch, how many stays it has, and the next of them: in one word */
    _Atomic uint32_t batch, done, sleepers;
    _Atomic uint64_t taken; /* what the stays of the batch have taken, by all threads */
    _Atomic uint64_t pace;  /* what 1024 cycles that a stay may take have lately taken */
    _Atomic bool in_use;    /* by a batch: a process may have several threads that run rounds, each of machines of its own */
    struct stay **stays;
    unsigned threads;
    uint64_t missed; /* what was done here while others slept */
    pid_t process;
} pool;

#define NEXT(batch, count) ((uint64_t)(batch) << 32 | (uint64_t)(count) << 16)
#define BATCH(next) ((uint32_t)((next) >> 32))
#define COUNT(next) ((uint32_t)(next) >> 16)
#define INDEX(next) ((uint32_t)(next) & 0xffff)
_Static_assert(MAX_PCPUS <= 0xffff, "as many stays in a batch");

static void work(uint32_t batch) {
    for (;;) {
        uint64_t next = atomic_load(&pool.next);
        if (BATCH(next) != batch || INDEX(next) == COUNT(next)) return;
        if (!atomic_compare_exchange_weak(&pool.next, &next, next + 1)) continue;
        struct stay *stay = pool.stays[INDEX(next)];
        uint64_t began = host_now();
        perform(stay->core, &stay->order, &stay->outcome);
        atomic_fetch_add(&pool.taken, host_now() - began);
        atomic_fetch_add(&pool.done, 1);
    }
}

static uint32_t wait_for_batch(uint32_t seen, uint64_t *patience) {
    uint64_t began = host_now(), now = began;
    for (; atomic_load(&pool.batch) == seen; now = host_now()) {
        if (now - began < *patience) {
            __builtin_ia32_pause();
            continue;
        }
        atomic_fetch_add(&pool.sleepers, 1);
        if (atomic_load(&pool.batch) == seen) futex_wait(&pool.batch, seen, 0);
        atomic_fetch_sub(&pool.sleepers, 1);
    }
    patience_learn(patience, now - began);
    return atomic_load(&pool.batch);
}

/* Threads that were started and have come to their work: what the C library does before is not to be done behind a filter. */
static _Atomic uint32_t arrived;

static void *worker(void *unused) {
    (void)unused;
    uint32_t seen = 0;
    uint64_t patience = SHORT_PATIENCE;
    atomic_fetch_add(&arrived, 1);
    for (;;) {
        seen = wait_for_batch(seen, &patience);
        work(seen);
    }
    return NULL;
}

/* Returns when it has arrived. It takes no signals, which are for the thread that has Python, but for its own mistakes. */
static bool start(void *(*life)(void *), void *argument) {
    static const int own[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_t thread;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&all, own[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    uint32_t there = atomic_load(&arrived);
    bool started = !pthread_create(&thread, &attributes, life, argument);
    while (started && atomic_load(&arrived) == there) sched_yield();
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void stays_prepare(unsigned threads) {
    if (pool.process != getpid()) { /* forked: the threads of the parent are not here */
        pool.process = getpid();
        pool.threads = pool.sleepers = 0;
        pool.in_use = false;
        pool.taken = false;
    }
    for (; pool.threads + 1 < threads; pool.threads++)
        if (!start(worker, NULL)) break; /* fewer do as well */
}

static uint64_t cycles_of(struct stay *const *stays, unsigned count) {
    uint64_t cycles = 0;
    for (unsigned i = 0; i < count; i++) cycles += stays[i]->order.limit - clock_now(stays[i]->core);
    return cycles;
}

/* One batch is short, and to wake somebody is dear; but who is awake sees the batches that follow. */
static void wake(uint64_t beside, unsigned others) {
    pool.missed += beside;
    if (pool.missed < WORTH_WAKING) return;
    pool.missed = 0;
    syscall(SYS_futex, &pool.batch, FUTEX_WAKE, (int)others, NULL, NULL, 0);
}

static void run_alone(struct stay **stays, unsigned count) {
    for (unsigned i = 0; i < count; i++) perform(stays[i]->core, &stays[i]->order, &stays[i]->outcome);
}

static uint64_t time_alone(struct stay **stays, unsigned count) {
    uint64_t began = host_now();
    run_alone(stays, count);
    return host_now() - began;
}

static uint64_t run_with_others(struct stay **stays, unsigned count, uint64_t beside, unsigned others) {
    pool.stays = stays;
    atomic_store(&pool.done, 0);
    atomic_store(&pool.taken, 0);
    uint32_t batch = atomic_load(&pool.batch) + 1;
    atomic_store(&pool.next, NEXT(batch, count));
    atomic_store(&pool.batch, batch);
    if (atomic_load(&pool.sleepers)) wake(beside, others);
    work(batch);
    for (unsigned spins = 0; atomic_load(&pool.done) < count; spins++) {
        __builtin_ia32_pause();
        if (spins > 4000) sched_yield();
    }
    uint64_t taken = atomic_load(&pool.taken);
    atomic_store(&pool.in_use, false);
    return taken;
}

/* Those of this process. How long they will take is guessed from those before. */
static void run_here(struct stay **stays, unsigned count, unsigned threads) {
    if (count < 2 || threads < 2 || !pool.threads) {
        run_alone(stays, count);
        return;
    }
    uint64_t cycles = cycles_of(stays, count), each = (cycles * pool.pace >> 10) / count, beside = each * (count - 1);
    bool with_others = each >= WORTH_HANDING_OVER && !atomic_exchange(&pool.in_use, true);
    uint64_t taken = with_others ? run_with_others(stays, count, beside, threads - 1) : time_alone(stays, count);
    if (!cycles) return;
    uint64_t pace = (taken << 10) / cycles, most = 4 * pool.pace + (1 << 10); /* a thread may have had no core meanwhile */
    pool.pace = (7 * pool.pace + (pace < most ? pace : most)) / 8;
}

static void ask(struct ledger *ledger, struct stay *stay) {
    if (atomic_load(&stay->lane->work) != LANE_STANDS) return; /* before the deadline has passed once */
    stay->lane->order = stay->order;
    atomic_store(&stay->lane->work, LANE_ASKED);
    if (stay->lane->away)
        ledger_call(ledger, (unsigned)(stay->lane - ledger->lanes));
    else
        futex_ring(&stay->process->bell);
}

/* False: the deadline has passed. */
static bool wait_for(struct ledger *ledger, struct stay *stay, uint64_t deadline) {
    static _Thread_local uint64_t patience = SHORT_PATIENCE;
    struct lane *lane = stay->lane;
    uint64_t began = host_now(), now = began;
    for (;; now = host_now()) {
        uint32_t seen = atomic_load(&ledger->answers);
        if (atomic_load(&lane->work) == LANE_HAS_COME) break;
        if (now >= deadline) return false;
        if (now - began < patience && !lane->away) /* the courier needs the core */
            __builtin_ia32_pause();
        else
            futex_wait(&ledger->answers, seen, deadline - now);
    }
    if (!lane->away) patience_learn(&patience, now - began);
    stay->outcome = lane->outcome;
    atomic_store(&lane->work, LANE_STANDS);
    return true;
}

void stays_run(struct ledger *ledger, struct stay *stays, unsigned count, unsigned threads, uint64_t deadline) {
    struct stay *here[count ? count : 1];
    unsigned in_here = 0;
    bool away = false;
    for (unsigned i = 0; i < count; i++) {
        if (stays[i].core)
            here[in_here++] = &stays[i];
        else
            ask(ledger, &stays[i]);
        away |= !stays[i].core && stays[i].lane->away;
    }
    if (away) sched_yield(); /* the courier may have this core alone, and others wait for what it carries */
    bool lets_go = count && stays->order.frozen && (in_here < count || cycles_of(here, in_here) >= WORTH_LETTING_GO);
    PyThreadState *python = lets_go ? PyEval_SaveThread() : NULL;
    run_here(here, in_here, threads);
    for (unsigned i = 0; i < count; i++) stays[i].over = stays[i].core || wait_for(ledger, &stays[i], deadline);
    if (python) PyEval_RestoreThread(python);
}

static void tell(PyObject *failed) {
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (traceback) PyException_SetTraceback(error, traceback);
    PyObject *result = PyObject_CallOneArg(failed, error);
    if (!result) PyErr_WriteUnraisable(failed);
    Py_XDECREF(result);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
}

static bool attend(const struct attendance *attendance, struct core *core, PyThreadState *state) {
    struct lane *lane = &attendance->ledger->lanes[core->index];
    uint32_t asked = LANE_ASKED;
    if (!atomic_compare_exchange_strong(&lane->work, &asked, LANE_RUNS)) return false;
    struct order order = lane->order; /* as it is now: other processes of the island can write there */
    struct outcome outcome;
    if (!order.frozen) PyEval_RestoreThread(state); /* the hypervisor may be asked in mid-stay */
    perform(core, &order, &outcome);
    bool over = outcome.reason != EXIT_ERROR;
    if (!over) tell(attendance->failed);
    if (!order.frozen) PyEval_SaveThread();
    if (!over) return true;
    lane->outcome = outcome;
    atomic_store(&lane->work, LANE_HAS_COME);
    if (attendance->ledger->conducted_away)
        ledger_call(attendance->ledger, core->index);
    else
        futex_ring(&attendance->ledger->answers);
    return true;
}

static void *attending(void *argument) {
    struct attendance *attendance = argument;
    _Atomic uint32_t *bell = &attendance->ledger->lanes[attendance->cores[0]->index].bell;
    PyGILState_Ensure();
    PyThreadState *state = PyEval_SaveThread();
    atomic_fetch_add(&arrived, 1);
    uint64_t patience = SHORT_PATIENCE, began = host_now();
    for (;;) {
        uint32_t seen = atomic_load(bell);
        uint64_t now = host_now();
        bool asked = false;
        for (unsigned i = 0; i < attendance->count; i++) asked |= attend(attendance, attendance->cores[i], state);
        if (asked) {
            patience_learn(&patience, now - began);
            began = host_now();
        } else if (now - began < patience && !attendance->ledger->conducted_away) { /* else the courier needs the core */
            __builtin_ia32_pause();
        } else {
            futex_wait(bell, seen, 0);
        }
    }
    return NULL;
}

bool stays_attend(struct attendance *attendance) {
    bool started;
    Py_BEGIN_ALLOW_THREADS; /* it begins as one of Python's */
    started = start(attending, attendance);
    Py_END_ALLOW_THREADS;
    return started;
}
