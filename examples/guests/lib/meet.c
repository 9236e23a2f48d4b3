/* Two VMs that wait for each other. */
#include "meet.h"

#include "guest.h"

/* The other VM may start later, and a notification to a VM that is not there yet is lost: ask again each millisecond. */
void meet(struct meeting *mine, const struct meeting *theirs, void (*notify)(void)) {
    uint64_t nonce = ticks() << 1 | 1;
    STORE(&mine->nonce, nonce);
    for (bool met = false; !met;) {
        met = LOAD(&theirs->seen) == nonce;
        STORE(&mine->seen, LOAD(&theirs->nonce));
        notify();
        if (met) break;
        uint64_t deadline = ticks() + ticks_per_second() / 1000;
        timer_set(deadline);
        SLEEP_UNTIL(LOAD(&theirs->seen) == nonce || ticks() >= deadline);
        timer_off();
    }
}
