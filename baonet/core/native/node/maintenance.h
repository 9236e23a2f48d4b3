/* What is asked of a pcpu, on its way from the slot that it has on one node to that on another. */
#ifndef BAONET_MAINTENANCE_H
#define BAONET_MAINTENANCE_H

#include <stdbool.h>

#include "slot.h"

struct maintenance {
    uint64_t ticket; /* of who asks: as much has been asked there */
    uint32_t pcpu, tlb_all, count, unused;
    uint64_t pages[PENDING_PAGES];
};

/* Of the model of its memory system, in a window. */
struct model_requests {
    uint64_t window;
    uint32_t pcpu, unused;
    struct requests requests;
};

/* How often the lock of a slot is tried: so that who has it and does not run keeps nobody waiting; or so that he must have ended. */
enum slot_tries { SHORTLY = 2000, LONG = 1000000 };

/* The lock of a slot. False: who had it has ended amid, and so will his VM, or he does not run. */
bool slot_try_lock(struct slot *slot, enum slot_tries tries);

/* Takes what was asked of a pcpu. False: it has done all that it was, or its slot is locked. */
bool maintenance_pick(struct slot *slot, struct maintenance *found, enum slot_tries tries);

/* Asks it of a pcpu: its ticket, UINT64_MAX where it cannot be asked. `asked->count` is at most PENDING_PAGES. */
uint64_t maintenance_put(struct slot *slot, const struct maintenance *asked, enum slot_tries tries);

/* Takes that, likewise. False: there is nothing, or the slot is locked. */
bool model_requests_pick(struct slot *slot, struct model_requests *found);

/* Asks it. False: it cannot be asked. */
bool model_requests_put(struct slot *slot, const struct model_requests *asked);

#endif
