#ifndef GUEST_BARRIER_H
#define GUEST_BARRIER_H

/* Returns when `cpus` vCPUs have come; spins. */
void barrier(unsigned cpus);

#endif
