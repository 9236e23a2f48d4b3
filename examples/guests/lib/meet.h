#ifndef GUEST_MEET_H
#define GUEST_MEET_H

#include <stdint.h>

/* What one side of a shared memory object tells the other there, to be at the same place in both VMs. */
struct meeting {
    _Alignas(64) uint64_t nonce;
    uint64_t seen;
};

/*
 * Returns when the VM on the other side is there. Bao does not clear shared memory, so nothing in it is believed before
 * both sides have seen a nonce of the other that was made after they started; whatever `mine`'s side writes there before
 * this call is what the other side finds after its own. Needs the interrupts of the timer, which must turn it off.
 */
void meet(struct meeting *mine, const struct meeting *theirs, void (*notify)(void));

#endif
