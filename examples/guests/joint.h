/* CPUs of one VM, or of two VMs that share memory, that do something together. */
#ifndef GUEST_JOINT_H
#define GUEST_JOINT_H

#include <stddef.h>

#include "meet.h"

/* At the start of what they share. */
struct joint {
    struct meeting met[2];
    _Alignas(64) uint32_t cpus[2]; /* of each VM */
    _Alignas(64) uint32_t arrived;
    uint32_t turn;
};

/* Parameters of the guest (parameters.h): how many VMs, and which of them this one is. */
extern uint64_t joint_vms, joint_side;

/*
 * On vCPU 0, when the `cpus` of this VM run: returns what is shared, zeroed. Of one VM that is `own`, `size` bytes of
 * zeroes; of two it is their shared memory, and this returns when both are there. Interrupts of the timer and of the
 * notification must be enabled then, and the timer's must turn it off.
 */
void *joint_begin(void *own, size_t size, unsigned cpus);

/* From then on: of all VMs. */
unsigned joint_cpus(void);
unsigned joint_number(void); /* of the vCPU that asks */
void joint_barrier(void);

#endif
