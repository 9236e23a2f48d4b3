/* A pcpu's bell: how one is woken that sleeps for want of anything to do. */
#ifndef BAONET_BELL_H
#define BAONET_BELL_H

#include <stdbool.h>
#include <stdint.h>

#include "slot.h"

#define BELL_ASLEEP 1u
#define BELL_CALLED 2u

/* There is something else than what a ring has brought: in a socket, room in a ring that was full, somebody has ended. */
void bell_call(struct slot *slot);

/* Whether it was called since the last time. */
bool bell_answer(struct slot *slot);

/* Something is in the ring of the pcpu `source` to the one whose slot it is. */
void bell_announce(struct slot *slot, unsigned source);

/*
 * Who is to sleep stays awake for a little before, as it often takes longer to be woken than another pcpu to answer. Where that was
 * in vain it sleeps at once the next time, and twice as often each time that it is in vain again: nobody answers so soon, or who is
 * to answer has no core of the host meanwhile. Where the core was given to others meanwhile it sleeps at once for a while, twice as
 * long if that happens again soon: on a host that is busy who sleeps gets a core when it is woken, and who does not waits its turn.
 */
struct sleeper {
    uint32_t vain, rest; /* how often it sleeps at once behind a vigil in vain, and has still to */
    uint64_t until, pause; /* by the host's clock: until when it does, and for how long that is in all */
};

/* Until it is rung, at most `limit` nanoseconds; at once when there is something. False: the time has passed. */
bool bell_sleep(struct sleeper *sleeper, struct slot *slot, unsigned pcpus, uint64_t limit);

#endif
