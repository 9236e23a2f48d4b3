#include "joint.h"

#include "guest.h"

uint64_t joint_vms = 1, joint_side;
static struct joint *joint;

static void notify(void) { ipc_notify(0, 0); }

void *joint_begin(void *own, size_t size, unsigned cpus) {
    joint = joint_vms == 2 ? (struct joint *)IPC_BASE : own;
    if (joint_vms == 2) {
        /* Bao does not clear it. What a side writes before they meet the other finds when they have. */
        if (joint_side == 0) {
            uint64_t *end = (uint64_t *)(IPC_BASE + size);
            for (uint64_t *at = (uint64_t *)joint->cpus; at < end; at++) *at = 0;
        }
        meet(&joint->met[joint_side], &joint->met[1 - joint_side], notify);
    }
    STORE(&joint->cpus[joint_side], cpus);
    while (joint_vms == 2 && !LOAD(&joint->cpus[1 - joint_side])) yield();
    return joint;
}

unsigned joint_cpus(void) { return joint->cpus[0] + joint->cpus[1]; }

unsigned joint_number(void) { return this_cpu() + (joint_side ? joint->cpus[0] : 0); }

void joint_barrier(void) {
    uint32_t mine = LOAD(&joint->turn), count = INCREMENT(&joint->arrived);
    if (count == joint_cpus()) {
        STORE(&joint->arrived, 0);
        STORE(&joint->turn, mine + 1);
    }
    while (LOAD(&joint->turn) == mine) yield();
}
