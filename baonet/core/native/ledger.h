/*
 * What the pcpus of an island share in virtual time, in memory that their processes share: to whom each page belongs that
 * more than one of them can reach, when it was let go, and a journal of the pages that have changed hands, from which
 * each core takes what it may no longer keep in its TLB and translations.
 *
 * An owner is a pcpu by its number plus 1; 0: the page is shared, all may read it. It changes while nobody of the island
 * runs beside the one who takes it.
 */
#ifndef BAONET_LEDGER_H
#define BAONET_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHARED 0u

struct ownership {
    uint64_t let_go; /* the latest time, in cycles, that the guest of its last owner knew when that let it go */
    uint16_t owner;
};
_Static_assert(sizeof(struct ownership) == 16, "baonet.memory.ownership");

/* Who falls behind by more than this forgets all that it has. */
#define JOURNAL 8192u

struct transfer {
    uint32_t page;
    uint16_t segment; /* of the machine, as NodeMemory counts them */
    uint16_t taker;   /* as an owner; SHARED: nobody, it was written to from outside */
    bool written;     /* the others may not even read it any more */
};

/* What a core is to do, and what has come of it. Times are cycles. */
struct order {
    uint64_t limit;
    uint64_t deadline; /* of the host, in nanoseconds: after that it need not go on when the host has interrupted it */
    bool frozen;       /* others run at the same time: nothing that is shared may change hands, nobody is asked */
    bool polite;       /* a guest that yields leaves, */
    bool patient;      /* and waits to the limit */
};
struct outcome {
    uint64_t clock;
    int reason;     /* enum exit_reason */
    bool blocked;   /* by what it may not do beside others: */
    bool fought;    /* to have a page that another has */
    bool yielded;
    bool out;       /* its hypervisor is to be asked, or whoever looks after it */
};

enum { LANE_STANDS, LANE_ASKED, LANE_RUNS, LANE_HAS_COME };
struct lane {
    _Atomic uint64_t known; /* of a core that stands: the latest time that its guest knows */
    /* Of a core in another process than the one that conducts: */
    _Atomic uint32_t work; /* LANE_* */
    _Atomic uint32_t bell; /* of the first in its process: rung when one of them is asked */
    struct order order;
    struct outcome outcome;
} __attribute__((aligned(64)));

struct ledger {
    _Atomic uint64_t written; /* transfers, since the start */
    _Atomic uint32_t answers; /* rung when an outcome has come */
    struct transfer journal[JOURNAL];
    struct lane lanes[]; /* of each pcpu of the machine */
};

/* The page's owner, if it has one, lets it go: it stands, and is one of so many lanes. */
static inline void ledger_let_go(struct ledger *ledger, size_t lanes, struct ownership *entry) {
    if (entry->owner != SHARED && entry->owner <= lanes) entry->let_go = atomic_load(&ledger->lanes[entry->owner - 1].known);
}

static inline void ledger_record(struct ledger *ledger, struct transfer transfer) {
    uint64_t at = atomic_load_explicit(&ledger->written, memory_order_relaxed);
    ledger->journal[at % JOURNAL] = transfer;
    atomic_store_explicit(&ledger->written, at + 1, memory_order_release);
}

#endif
