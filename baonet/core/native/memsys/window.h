/*
 * A cluster: the second level that its pcpus share, and its memory channel.
 *
 * In a window of virtual time each pcpu runs alone with a replica of the second level, charges what that says, and writes down
 * what it has asked for (a log). At the window's edge, when all of them stand, the logs are merged in the order of their times
 * through the cluster's own second level and its channel. What has turned out to be more than was charged a pcpu is charged
 * then; what was charged too much is kept against what will be too little. What a window has changed goes to the replicas.
 *
 * A pcpu that was alone in a window was charged exactly: its replica and its idea of the channel were right.
 *
 * Whose turn, in mid-window:  memsys_adopt, memsys_window_begin, (accesses), and when all of the cluster have come to the
 * edge, by one of them or on their behalf: memsys_merge. Then each is charged its outcome and begins the next.
 */
#ifndef BAONET_MEMSYS_WINDOW_H
#define BAONET_MEMSYS_WINDOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "parameters.h"

struct memsys;

/*
 * A second-level cache: the cluster's, or a replica. The victims' pseudo-random numbers are part of each set, so sets that
 * different VMs use (colours) know nothing of each other, and a copy goes on as the original would.
 */
struct memsys_l2;
size_t memsys_l2_size(const struct memsys_parameters *parameters);
void memsys_l2_init(struct memsys_l2 *l2, const struct memsys_parameters *parameters);
/* As memsys_plausible; and below, of a log and of a cluster. */
bool memsys_l2_plausible(const struct memsys_l2 *l2, const struct memsys_parameters *parameters);

/* Of what a pcpu has asked in a window. */
struct memsys_tally {
    uint64_t l2_accesses, l2_misses;       /* what its counters were when the window began */
    uint64_t l2_writebacks, lines, waits;  /* as memsys_owner_counters, of this window alone, as if no other used the channel */
};

/* What a pcpu has asked of the second level in a window. */
struct memsys_log {
    uint64_t begin;    /* of the window, in cycles */
    uint32_t capacity; /* in records */
    uint32_t count;
    uint32_t wait; /* what was charged each line that came over the channel, on account of others */
    uint32_t deeds; /* how many are behind all that the records have room for (request.h) */
    struct memsys_tally tally[2]; /* of the guest; of the hypervisor below it */
    uint64_t records[];
};

/* Records, or moves, of a window of so many cycles. */
uint32_t memsys_log_capacity(uint64_t window);
/*
 * Of a log for windows of so many cycles. It suffices for whoever executes no more than two instructions a cycle (merge.c). Who writes
 * more has the rest unlogged: the cluster then knows nothing of it, and memsys_counters.unlogged is not 0, which a run tells at its end.
 */
size_t memsys_log_size(uint64_t window);
void memsys_log_init(struct memsys_log *log, uint64_t window);
bool memsys_log_plausible(const struct memsys_log *log, uint64_t window);

/* Physical memory whose lines can be in the second level: whole lines. Lines of no extent are MEMSYS_COLD whenever they miss. */
struct memsys_extent {
    uint64_t base, size; /* bytes */
};
#define MEMSYS_EXTENTS 8u
#define MEMSYS_PARTIES 32u /* pcpus of a cluster */

/* The cluster's second level, its channel, its counters, and of each line of the extents who drove it out, and who has it. */
struct memsys_cluster;
/* In memory that is all zeroes (what is kept of each line stays untouched, and takes no memory until it is known). */
size_t memsys_cluster_size(const struct memsys_parameters *parameters, const struct memsys_extent *extents, unsigned count);
/* In memory that is zero: what is there of each line is left as it is, which is much, and most of it is never used. */
void memsys_cluster_init(struct memsys_cluster *cluster, const struct memsys_parameters *parameters,
                         const struct memsys_extent *extents, unsigned count);
bool memsys_cluster_plausible(struct memsys_cluster *cluster, const struct memsys_parameters *parameters,
                              const struct memsys_extent *extents, unsigned count);
struct memsys_l2 *memsys_cluster_l2(struct memsys_cluster *cluster);
struct memsys_cluster_counters *memsys_cluster_counters(struct memsys_cluster *cluster);
/* How often lines of each 4 KiB page of an extent have missed: what `missed` of the counters adds up to, but for lines of no extent. */
const uint32_t *memsys_cluster_pages(const struct memsys_cluster *cluster, unsigned extent);

/* What the cluster knows of who has a line in its first level (coherence.h); NULL: the line is in no extent, and nobody shares it. */
typedef _Atomic uint64_t memsys_word;
memsys_word *memsys_cluster_word(struct memsys_cluster *cluster, uint64_t line);

/*
 * What a party has done with lines that others can reach (coherence.h), in its order. Moves have numbers, from the start on: those
 * before `settled` are of windows that have ended, and gone. Who does more in a window than there is room for (none is known to) has
 * the rest not kept coherent, and that is counted as `unlogged`.
 */
struct memsys_moves {
    _Atomic uint64_t written, settled;
    uint32_t capacity, reserved;
    uint64_t moves[]; /* the first is number `settled` */
};
size_t memsys_moves_size(uint64_t window);
void memsys_moves_init(struct memsys_moves *moves, uint64_t window);
bool memsys_moves_plausible(const struct memsys_moves *moves, uint64_t window);

/*
 * Of a party that is elsewhere, with words of its own: `count` moves from number `first` on. Those that are known here are skipped;
 * the rest is noted, and the words are what they are there. False: moves before these are missing, or these are no moves.
 */
bool memsys_coherence_repeat(struct memsys_cluster *cluster, unsigned party, struct memsys_moves *moves, uint64_t first,
                             const uint64_t *these, uint32_t count);

/*
 * At the end of a window, when its logs are merged, and before it is settled: all parties of `memsys`, NULL where one is elsewhere,
 * hear what others have done with lines that they have: lost to them, cleaned or flushed by their address.
 */
void memsys_coherence_hear(struct memsys_cluster *cluster, struct memsys *const memsys[], const struct memsys_moves *const moves[],
                           unsigned parties);

/* At the end of a window, of each party, in any order: what it has of a line by its last move is what the cluster knows of it. */
void memsys_coherence_settle(struct memsys_cluster *cluster, unsigned party, struct memsys_moves *moves);

/* What a window has come to for one pcpu. All 0: before the first one. */
struct memsys_outcome {
    uint64_t charge;   /* cycles by which its clock is to go on */
    uint32_t wait;     /* to charge each line in its next window */
    uint32_t of_hypervisor; /* cycles of `charge` that what the hypervisor has asked for was short of */
    int64_t l2_misses; /* of its guest and of the hypervisor below it: more than it has counted itself */
    int64_t hypervisor_l2_misses;
};

/* A party at the end of a window. */
struct memsys_entry {
    const struct memsys_log *log;     /* read only; empty, or NULL: it did not run */
    const struct memsys_moves *moves; /* likewise, and not settled yet; NULL: it has none */
    unsigned owner;                   /* the VM whose accesses are in the log but for those of the hypervisor */
    struct memsys *memsys;            /* NULL: the party is elsewhere */
    struct memsys_l2 *replica;
};

/*
 * Merges the logs of a window of `length` cycles that has ended. Party i is the same pcpu in every window. In the end the cluster's
 * second level has what the window has changed.
 */
void memsys_merge(struct memsys_cluster *cluster, const struct memsys_entry entries[], unsigned parties, uint64_t length,
                  struct memsys_outcome outcomes[]);

/* Makes a replica what the cluster's second level is; copies no more than the sets that have changed in one of them since it last was. */
void memsys_adopt(struct memsys_l2 *replica, const struct memsys_cluster *cluster);

/* Adds what an outcome says to what a pcpu has counted, its guest's and the hypervisor's. */
void memsys_count_outcome(struct memsys_counters counters[2], const struct memsys_outcome *outcome);

/* Empties the log and has the pcpu take the outcome of the window before. The caller has its clock go on by `outcome->charge`,
 * and `now` is after that. */
void memsys_window_begin(struct memsys *memsys, struct memsys_log *log, uint64_t now, const struct memsys_outcome *outcome);

#endif
