/*
 * The pcpus of an island in virtual time, window after window: which of them run at the same time, in what order those go on
 * that may not, and when the hypervisor is asked. docs/virtual-time.md has the rule.
 */
#ifndef BAONET_ROUNDS_H
#define BAONET_ROUNDS_H

#include "core.h"
#include "lent.h"
#include "memsys.h"
#include "stay.h"

enum status {
    MEMBER_GONE,    /* never runs again */
    MEMBER_ASLEEP,  /* has nothing to do before `next` */
    MEMBER_READY,   /* its guest goes on */
    MEMBER_BLOCKED, /* its guest needs a page, or the hypervisor's emulation, that it may not have beside others */
    MEMBER_YIELDED, /* its guest waits for another */
    MEMBER_CALLS,   /* its hypervisor is to be asked */
    MEMBER_STATUSES
};

struct member {
    struct core *core;           /* NULL: in another process */
    struct lane *lane, *process; /* of it; of the first in its process */
    unsigned pcpu;
    enum status status;
    uint64_t clock;
    uint64_t next;      /* when it has something to do: now, unless it is asleep or gone */
    uint64_t attention; /* when its hypervisor is to be asked, though its guest could go on */
    int reason;         /* why its guest was left since its hypervisor was asked; -1: it has not been entered */
    bool served;        /* has had its slice in this serial phase */
    bool mail;          /* Python has something for it */
    bool printed;       /* there is output of its guest's that has not been asked for */
    bool going;         /* has not yet come to the end of its part of this parallel phase */
};

/* A cluster of the island, where memory takes time. */
struct woven {
    struct memsys_weave weave;
    struct member *parties[MEMSYS_PARTIES]; /* NULL: no VM has that pcpu */
    unsigned owners[MEMSYS_PARTIES];        /* their VMs, as the cluster counts them */
};

enum phase { PHASE_NONE, PHASE_BEGIN, PHASE_PARALLEL, PHASE_SERIAL, PHASES };

struct rounds {
    PyObject_HEAD
    uint64_t window, slice; /* cycles */
    uint64_t length;        /* of the rounds now: at most a window, at least a slice */
    bool fought;            /* in this round somebody has had to stop for another */
    unsigned threads;
    enum phase phase;
    uint64_t unseen; /* cycles and more since the host's clock was looked at */
    uint64_t edge;
    struct member *alone; /* nobody else has anything to do before the edge; NULL: somebody has */
    unsigned count;
    struct member *members; /* by pcpu */
    struct stay *stays;     /* room for one each */
    unsigned woven_count;
    struct woven *woven;
    struct ledger *ledger;
    struct delivered {
        uint64_t exact, late, latest;
    } delivered;    /* of what errands brought, and nobody has asked for yet */
    PyObject *kept; /* what the pointers point into */
};

#define NEVER (1ull << 62)

/* The index of the member whose hypervisor is to be asked; or: */
#define ROUNDS_DONE (-1)   /* nobody has anything to do before `until`, an edge */
#define ROUNDS_RECESS (-2) /* time of the host has passed; nothing is different for that */
#define ROUNDS_ERROR (-3)  /* a Python error is set */
int rounds_go(struct rounds *rounds, uint64_t until);

/* That of a pcpu; NULL: it has none here. */
struct member *rounds_member(const struct rounds *rounds, unsigned pcpu);

/* What a member's turn has come to: its guest goes on, or it has nothing to do before `cycle`. */
void rounds_turned(struct member *member, bool goes_on, uint64_t clock, uint64_t cycle);

/* A member has something to do at `due`, besides what it has. */
void rounds_tell(struct rounds *rounds, struct member *member, uint64_t due);

/* A notification for a member, which is an errand of its core from now on. False: it is none, and Python is to have it. */
bool rounds_bring(struct rounds *rounds, struct member *member, struct notice notice);

#endif
