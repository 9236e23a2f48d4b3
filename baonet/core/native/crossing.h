/* The ways between the guest and its hypervisor, as time and records have them. Of a core that is not in its guest. */
#ifndef BAONET_CROSSING_H
#define BAONET_CROSSING_H

#include "core.h"

/* The guest learns what time it is there, if it has been told something since it left. */
void crossing_learn(struct core *core);

/* Into the guest, and out of it. */
void crossing_arrive(struct core *core);
void crossing_depart(struct core *core, enum exit_reason reason);

#endif
