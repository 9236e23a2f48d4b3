/*
 * The time that an island on several nodes has in common under the host's clock, in nanoseconds: the one at its home. A node's
 * own is that of its host since its epoch; how far home's is ahead of it the courier estimates (node/offset.h).
 *
 * No guest sees it go back. What comes from another node brings how late it was there, and before that nobody here sees any time
 * again (`floor`). When the offset was too large and becomes smaller, time stands until it has caught up. Cores read it meanwhile,
 * each on its own, and what one of them has seen by the old offset another may hear of: the courier says first that time
 * `falls`, and from then on each reading raises the floor; what was read before is less than what it raises the floor to itself.
 */
#ifndef BAONET_COMMON_TIME_H
#define BAONET_COMMON_TIME_H

#include "ledger.h"

#define MISREAD 1000u /* nanoseconds by which a processor may have read `falls` before its clock, though told to do it after */

static inline uint64_t common_of(int64_t offset, uint64_t own) {
    uint64_t back = offset < 0 ? -(uint64_t)offset : 0;
    return back > own ? 0 : own + (uint64_t)offset;
}

static inline void common_raise(struct ledger *ledger, uint64_t floor) {
    uint64_t before = atomic_load_explicit(&ledger->floor, memory_order_relaxed);
    while (before < floor && !atomic_compare_exchange_weak(&ledger->floor, &before, floor)) {}
}

/* By the clock alone: it may go back, and then be before the floor. */
static inline uint64_t common_clock(struct ledger *ledger, uint64_t own) {
    return common_of(atomic_load_explicit(&ledger->offset, memory_order_relaxed), own);
}

/* What anybody may be told; `own` was read just now. */
static inline uint64_t common_time(struct ledger *ledger, uint64_t own) {
    bool falls = atomic_load(&ledger->falls);
    uint64_t time = common_of(atomic_load(&ledger->offset), own);
    if (falls) common_raise(ledger, time);
    uint64_t floor = atomic_load(&ledger->floor);
    return time > floor ? time : floor;
}

#endif
