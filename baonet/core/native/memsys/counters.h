/*
 * What is counted. A pcpu counts what it sees as it runs, for its guest and for the hypervisor below it apart; of the second
 * level it sees its replica in mid-window, and the difference is added at the window's edge. A cluster counts exactly, by
 * owner (a VM, or the hypervisor).
 */
#ifndef BAONET_MEMSYS_COUNTERS_H
#define BAONET_MEMSYS_COUNTERS_H

#include <stdint.h>

/* Of stalled cycles. A miss that goes to memory has its parts in several. */
enum memsys_cause {
    MEMSYS_STALL_FETCH,       /* an instruction came from the second level, or through it */
    MEMSYS_STALL_DATA,        /* data did */
    MEMSYS_STALL_STORE,       /* the store buffer was full */
    MEMSYS_STALL_DRAM,        /* they came from memory */
    MEMSYS_STALL_WAIT,        /* the channel was busy */
    MEMSYS_STALL_TRANSLATION, /* all of a micro-TLB's miss and of a walk, its descriptors' way included */
    MEMSYS_STALL_DEVICE,      /* device and non-cacheable memory */
    MEMSYS_STALL_COHERENCE,   /* another core had the line */
    MEMSYS_STALL_MAINTENANCE, /* cache maintenance */
    MEMSYS_STALL_CORRECTION,  /* at windows' edges: what has turned out to be more than was charged */
    MEMSYS_CAUSES
};

#define MEMSYS_COUNTERS(X) \
    X(loads)           /* data accesses, as instructions make them: one for LDP */ \
    X(stores)          /* likewise; an atomic is both */ \
    X(l1i_misses) \
    X(l1d_misses)      /* lines that were neither in the first level nor under way to it */ \
    X(l1d_writebacks)  /* dirty lines that have left it */ \
    X(l2_accesses) \
    X(l2_misses) \
    X(utlb_i_misses) \
    X(utlb_d_misses) \
    X(tlb_i_misses)    /* of the main TLB: walks */ \
    X(tlb_d_misses) \
    X(walk_loads)      /* descriptors that walks have read through the second level */ \
    X(walk_cache_hits) \
    X(ipa_cache_hits) \
    X(prefetches)      /* lines asked for ahead, by the prefetcher and by instructions */ \
    X(prefetches_used) \
    X(streamed)        /* full lines of stores that have passed by the first level */ \
    X(uncached)        /* accesses to device and non-cacheable memory */ \
    X(snoops)          /* lines that were another core's */ \
    X(unlogged)        /* records for which a log had no room, and moves */

struct memsys_counters {
#define MEMSYS_FIELD(name) uint64_t name;
    MEMSYS_COUNTERS(MEMSYS_FIELD)
#undef MEMSYS_FIELD
    uint64_t stalls[MEMSYS_CAUSES];
};

/* Owners in a cluster: VMs as the caller counts them, and the hypervisor. */
#define MEMSYS_VMS 32u
#define MEMSYS_HYPERVISOR MEMSYS_VMS
#define MEMSYS_OWNERS (MEMSYS_VMS + 1)
#define MEMSYS_COLD MEMSYS_OWNERS /* in place of an evictor: the line had not been in the second level before */

#define MEMSYS_OWNER_COUNTERS(X) \
    X(l2_accesses) \
    X(l2_misses) \
    X(l2_writebacks) /* dirty lines, of whomever, that this owner has driven out to memory */ \
    X(lines)         /* that it has moved over the channel, write-backs included */ \
    X(waits)         /* cycles that these have waited for it */

struct memsys_owner_counters {
#define MEMSYS_FIELD(name) uint64_t name;
    MEMSYS_OWNER_COUNTERS(MEMSYS_FIELD)
#undef MEMSYS_FIELD
};
struct memsys_cluster_counters {
    struct memsys_owner_counters owner[MEMSYS_OWNERS];
    uint64_t missed[MEMSYS_OWNERS][MEMSYS_OWNERS + 1]; /* by who misses and who drove the line out (or MEMSYS_COLD): adds up */
    uint64_t windows, records, busy;                   /* busy: cycles of the channel */
};

#endif
