/*
 * What the pcpus of an island share in virtual time, in memory that their processes share: to whom each page belongs that
 * more than one of them can reach, when it was let go, and a journal of the pages that have changed hands, from which
 * each core takes what it may no longer keep in its TLB and translations. Under the host's clock an island on several nodes has
 * one too: of each page it tells what this node may do.
 *
 * An owner is a pcpu by its number plus 1; 0: the page is shared, all may read it. It changes while nobody of the island
 * runs beside the one who takes it.
 *
 * An island that is on several nodes has a ledger on each. Their couriers (node/courier.c) keep them alike: what one node
 * has written the others have before any of their cores goes on. Where the bytes of a page are follows from who took it
 * last, and each node has in its own entry whom to ask for them.
 */
#ifndef BAONET_LEDGER_H
#define BAONET_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "futex.h"

#define SHARED 0u

struct ownership {
    uint64_t let_go; /* the latest time, in cycles, that the guest of its last owner knew when that let it go */
    uint16_t owner;
    uint16_t holder; /* the node to ask for its bytes, by its number plus 1; HERE: this one has them */
    /* Under the host's clock (rights.c): */
    _Atomic uint8_t right; /* enum right: what the pcpus of this node may do */
    _Atomic uint16_t user; /* the pcpu that may have used it since it came, plus 1; 0: nobody; SEVERAL */
};
#define HERE 0u
#define SEVERAL 0xffffu
enum right { RIGHT_NONE, RIGHT_READ, RIGHT_WRITE };
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
    bool printed;   /* there is output of its guest's to be taken */
};

enum { LANE_STANDS, LANE_ASKED, LANE_RUNS, LANE_HAS_COME };
/* A page's bytes; under the host's clock a right to it, which it has been granted, and is to use. */
enum { WANTS_NOTHING, WANTS_PAGE, WANTS_READ, WANTS_WRITE, WANTS_USE };
struct lane {
    _Atomic uint64_t known; /* of a core that stands: the latest time that its guest knows */
    /* Of a core in another process than the one that conducts: */
    _Atomic uint32_t work; /* LANE_* */
    _Atomic uint32_t bell; /* of the first in its process: rung when one of them is asked */
    /* Of a core that waits for the bytes of a page from another node: */
    _Atomic uint32_t wants; /* WANTS_* */
    _Atomic uint32_t awaited; /* the courier is to be called when what was granted has been used */
    uint32_t page;
    uint16_t segment;
    bool away; /* it is on another node: the courier is asked in its place */
    struct order order;
    struct outcome outcome;
} __attribute__((aligned(64)));

struct ledger {
    _Atomic uint64_t written; /* transfers, since the start */
    _Atomic uint32_t answers; /* rung when an outcome has come */
    int courier;              /* in each process: the socket by which the node's courier is called, plus 1; 0: it has none */
    _Atomic uint32_t edges_asked, edges_shipped; /* ends of windows of clusters, which other nodes are to be told, and have been */
    _Atomic bool deserted;    /* the node's courier has ended: nothing that is asked of it will be done */
    uint64_t edge;            /* the latest: nobody has anything to do before that cycle */
    bool conducted_away;      /* on another node: an outcome is for the courier */
    _Atomic uint32_t missed;  /* a call that the socket had no room for */
    _Atomic uint64_t shipped; /* transfers that all other nodes have been sent */
    /* Under the host's clock, of an island that is on several nodes: */
    _Atomic int64_t offset; /* nanoseconds that the clock of the node at home is ahead of this one's, as well as is known */
    _Atomic uint64_t floor; /* the latest time of another node that anything has come from: no guest sees an earlier one */
    _Atomic bool falls;     /* the offset has become smaller: common_time.h */
    struct transfer journal[JOURNAL];
    struct lane lanes[]; /* of each pcpu of the machine */
};

static inline bool ledger_tell(struct ledger *ledger, unsigned pcpu) {
    uint16_t number = (uint16_t)pcpu;
    return send(ledger->courier - 1, &number, sizeof number, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof number;
}

/*
 * The courier is to look at a lane. Where the socket has no room that is written down, and then tried once more: the courier
 * takes what is in the socket first, and looks at what is written down after that. So if there is still no room, it has yet to
 * take something, and looks later than this was written; if there is, it has a call. The fences are for the socket's count of
 * what it has room for, which is no C object.
 */
static inline void ledger_call(struct ledger *ledger, unsigned pcpu) {
    if (ledger_tell(ledger, pcpu)) return;
    atomic_store(&ledger->missed, 1);
    atomic_thread_fence(memory_order_seq_cst);
    ledger_tell(ledger, pcpu);
}

/*
 * Before windows of clusters end: returns when other nodes have been told what is in these; false: nobody will tell them. Of who
 * conducts, while all stand.
 */
static inline bool ledger_end_windows(struct ledger *ledger, unsigned pcpu, uint64_t now) {
    ledger->edge = now;
    uint32_t asked = atomic_fetch_add(&ledger->edges_asked, 1) + 1;
    ledger_call(ledger, pcpu);
    for (;;) {
        uint32_t shipped = atomic_load(&ledger->edges_shipped);
        if (atomic_load(&ledger->deserted)) return false;
        if (shipped == asked) return true;
        futex_wait(&ledger->edges_shipped, shipped, 0);
    }
}

/* Of the courier, as the last that it does: of so many lanes, who waits for a page looks around. */
static inline void ledger_desert(struct ledger *ledger, unsigned lanes) {
    atomic_store(&ledger->deserted, true);
    futex_ring(&ledger->edges_shipped);
    for (unsigned i = 0; i < lanes; i++) {
        uint32_t page = WANTS_PAGE;
        if (atomic_compare_exchange_strong(&ledger->lanes[i].wants, &page, WANTS_NOTHING)) futex_ring(&ledger->lanes[i].wants);
    }
}

/* For the courier, when it has taken calls: whether there were some that it has not got. */
static inline bool ledger_has_missed(struct ledger *ledger) {
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_exchange(&ledger->missed, 0);
}

/* The page's owner, if it has one, lets it go: it stands, and is one of so many lanes. */
static inline void ledger_let_go(struct ledger *ledger, size_t lanes, struct ownership *entry) {
    if (entry->owner != SHARED && entry->owner <= lanes) entry->let_go = atomic_load(&ledger->lanes[entry->owner - 1].known);
}

/* Returns when the page is here, which is elsewhere; false: nobody will bring it. Of a core that has nothing else to wait for. */
static inline bool ledger_fetch(struct ledger *ledger, unsigned pcpu, uint16_t segment, uint32_t page) {
    struct lane *lane = &ledger->lanes[pcpu];
    lane->segment = segment;
    lane->page = page;
    atomic_store(&lane->wants, WANTS_PAGE);
    ledger_call(ledger, pcpu);
    while (atomic_load(&lane->wants) == WANTS_PAGE && !atomic_load(&ledger->deserted)) futex_wait(&lane->wants, WANTS_PAGE, 0);
    return !atomic_load(&ledger->deserted);
}

/* Whether the courier must send some on before there is room for more that no node forgets. */
static inline bool ledger_is_full(struct ledger *ledger) {
    return ledger->courier && atomic_load(&ledger->written) - atomic_load(&ledger->shipped) >= JOURNAL / 2;
}

static inline void ledger_record(struct ledger *ledger, struct transfer transfer) {
    uint64_t at = atomic_load_explicit(&ledger->written, memory_order_relaxed);
    ledger->journal[at % JOURNAL] = transfer;
    atomic_store_explicit(&ledger->written, at + 1, memory_order_release);
}

#endif
