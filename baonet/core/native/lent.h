/* What a core knows of its errands (errands.h), and what of its hypervisor is lent to it. */
#ifndef BAONET_LENT_H
#define BAONET_LENT_H

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
        uint64_t value;            /* and what is there then: arch_list() */
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

#endif
