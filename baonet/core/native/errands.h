/*
 * Errands: what the engine does in the hypervisor's place between two of its turns, in virtual time. A guest notifies those of
 * other VMs (a hypercall), waits, is given the interrupt of a notification, and ends it. While nothing else happens on a pcpu
 * each of these has one outcome, which its seat (baonet.actors.seat) has said beforehand, or is asked for once: then that is lent
 * to the engine. Before the hypervisor does anything itself it takes that back, with what has been done meanwhile, and is as if it
 * had done it. Records, costs, times and counts are the same.
 */
#ifndef BAONET_ERRANDS_H
#define BAONET_ERRANDS_H

#include "answers.h"
#include "core.h"

#define ERRAND_TARGETS 8
#define ERRAND_QUEUE 16

/* A hypercall that tells pcpus of an event, whose number is in a register. */
struct notification {
    struct answer call;
    unsigned event, object, targets;
    struct {
        unsigned pcpu;
        uint64_t free; /* what was said before is due then: channels are FIFO */
    } target[ERRAND_TARGETS];
};

/* One on its way, or taken. */
struct notice {
    uint64_t due, sequence;
    unsigned source, object, event;
};
struct notice_to {
    unsigned pcpu;
    struct notice notice;
};

struct errands {
    /* as it was made */
    unsigned number, cost; /* of the message on the wire; of the exit that it is to its receiver */
    uint64_t latency;
    unsigned count;
    struct notification *notifications;

    /* what was lent: core->lent */
    bool waiting, interrupted; /* since the guest was left */
    struct expected {
        bool known, possible;
        unsigned object, event;
        unsigned place, interrupt; /* where the interrupt of that event would be, */
        uint64_t value;            /* and what is there then */
    } expected;

    /* what has been done since, and is to be told */
    uint64_t sent;  /* messages, since the pcpu was made */
    uint64_t told, heard;
    uint64_t exits[EXIT_ERROR];
    bool listed; /* the guest has not ended the interrupt of `held` */
    struct notice held;

    unsigned queued; /* by when they are due, whether it is lent or not */
    struct notice queue[ERRAND_QUEUE];
};

/* The notification that the guest is at, which was left for `reason`, if that is all that is to be done now; NULL: it is not. */
struct notification *errands_call(struct core *core, int reason);

/* What comes of it: as many as it has targets. */
void errands_notify(struct core *core, int reason, struct notification *notification, struct notice_to *notices);

/* What another has to be told; there is room. */
static inline bool errands_has_room(const struct core *core) { return core->errands && core->errands->queued < ERRAND_QUEUE; }
void errands_put(struct core *core, struct notice notice);

/* The guest was left for `reason`, which is no notification. False: the hypervisor is to be asked, and nothing has been done. */
bool errands_left(struct core *core, int reason);

/*
 * What there is to do before the guest goes on, or, if it waits, up to `until`. False: the hypervisor is to do the rest, or has raised
 * what is Python's error now. `next`: when there is something to do.
 */
bool errands_settle(struct core *core, uint64_t until, bool *goes_on, uint64_t *next);

#endif
