/* A pcpu's bell: how one is woken that sleeps for want of anything to do. */
#ifndef BAONET_BELL_H
#define BAONET_BELL_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "slot.h"

#define BELL_ASLEEP 1u
#define BELL_CALLED 2u

/* There is something else than what a ring has brought: in a socket, room in a ring that was full, somebody has ended. */
void bell_call(struct slot *slot);

/* Whether it was called since the last time. */
bool bell_answer(struct slot *slot);

/* Something is in the ring of the pcpu `source` to the one whose slot it is. */
void bell_announce(struct slot *slot, unsigned source);

/* Until it is rung, at most `limit` (NULL: for ever); at once when there is something. False: the time has passed. */
bool bell_sleep(struct slot *slot, unsigned pcpus, const struct timespec *limit);

#endif
