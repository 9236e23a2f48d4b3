/*
 * Errands: what the engine does in the hypervisor's place between two of its turns, in virtual time. A guest notifies those of
 * other VMs (a hypercall), waits, is given the interrupt of a notification, and ends it. While nothing else happens on a pcpu
 * each of these has one outcome, which its seat (baonet.actors.seat) has said beforehand, or is asked for once: then that is lent
 * to the engine. Before the hypervisor does anything itself it takes that back, with what has been done meanwhile, and is as if it
 * had done it. Records, costs, times and counts are the same.
 */
#ifndef BAONET_ERRANDS_H
#define BAONET_ERRANDS_H

#include "core.h"
#include "lent.h"

/* Whether nothing of the guest's waits for its hypervisor, or for whoever looks after it, but errands. */
bool errands_alone(const struct core *core);

/* The notification that the guest is at, which was left for `reason`, if that is all that is to be done now; NULL: it is not. */
struct notification *errands_call(struct core *core, int reason);

/* What the guest finds when it goes on behind that. */
void errands_answer(struct core *core, int reason, const struct notification *notification);

/* That, and what comes of it: as many as it has targets. */
void errands_notify(struct core *core, int reason, struct notification *notification, struct notice_to *notices);

/* What another has to be told; there is room. */
static inline bool errands_has_room(const struct core *core) { return core->errands && core->errands->queued < ERRAND_QUEUE; }
void errands_put(struct core *core, struct notice notice);

/* The guest was left for `reason`, which is no notification. False: the hypervisor is to be asked, and nothing has been done. */
bool errands_left(struct core *core, int reason);

/* Whether what has come is an errand now; if not, Python may have an error. Then it is taken: the guest is given its interrupt. */
bool errands_may_take(struct core *core, const struct notice *notice);
void errands_take(struct core *core, struct notice notice);

/* Whether the guest has an interrupt to take. */
bool errands_interrupted(struct core *core);

/*
 * What there is to do before the guest goes on, or, if it waits, up to `until`. False: the hypervisor is to do the rest, or has raised
 * what is Python's error now. `next`: when there is something to do.
 */
bool errands_settle(struct core *core, uint64_t until, bool *goes_on, uint64_t *next);

#endif
