/* One stay of a core for the rounds, and several at the same time. */
#ifndef BAONET_STAY_H
#define BAONET_STAY_H

#include "core.h"

struct stay {
    struct core *core; /* NULL: it is in another process */
    struct lane *lane, *process; /* of the core; of the first in its process */
    struct order order;
    struct outcome outcome;
    bool over;
};

/* Before a filter forbids it: the threads that stays_run() may have beside the one that calls it. */
void stays_prepare(unsigned threads);

/*
 * All of them, by this thread and up to `threads` - 1 others of the process, and by the processes that have the others. Those
 * that have not come back by `deadline`, of the host, are not over, and are waited for when this is called again for them.
 * Where they are frozen nobody needs Python, and its other threads have it meanwhile, unless that is short: those that write what
 * guests print.
 */
void stays_run(struct ledger *ledger, struct stay *stays, unsigned count, unsigned threads, uint64_t deadline);

/*
 * In a process that does not conduct: a thread that does what is asked of its cores, for ever. False: there is none. `failed` is
 * called, in that thread, with what a callback of a core has raised; that stay has no end then.
 */
struct attendance {
    struct ledger *ledger;
    struct core **cores;
    unsigned count;
    PyObject *failed;
};
bool stays_attend(struct attendance *attendance);

#endif
