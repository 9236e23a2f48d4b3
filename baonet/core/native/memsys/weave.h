/*
 * A cluster in memory that several processes share: its second level and channel, and of each of its pcpus (a party) all that
 * the model has of it. Zeroes are a cluster that nobody has used yet.
 *
 * Each process that has a part in it has a `struct memsys_weave` of its own, which says where everything lies: that does not follow
 * from what is in the shared memory.
 *
 * Windows are numbered. Whoever has all parties stand ends one (memsys_weave_edge); a party that goes on begins the one
 * that is open then (memsys_weave_enter), when it does and where it is: one that sleeps costs nothing.
 */
#ifndef BAONET_MEMSYS_WEAVE_H
#define BAONET_MEMSYS_WEAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hierarchy.h"
#include "window.h"

/* What has been told of a party in its trace, in all and when last. The last five are stalled cycles. */
struct memsys_sampled {
    uint64_t time, l1i_misses, l1d_misses, l2_misses, walks, snoops, cache, memory, contention, translation, all;
};

/* What a party and whoever ends windows tell each other. */
struct memsys_party {
    uint64_t window;  /* the one that it has begun last, of which its log is; 0: none */
    uint64_t charged; /* cycles, in all, by which its clock has gone on at windows' edges */
    struct memsys_outcome outcome; /* of the windows before the open one, until it has begun that */
    uint64_t made;
    uint64_t elsewhere; /* another node has had it go on: of what it has come to, its log and moves alone are here */
    struct memsys_sampled sampled;
};

struct memsys_shared {
    uint64_t made;
    uint64_t window; /* that is open */
    uint64_t end;    /* of it, in cycles */
};

struct memsys_shape {
    struct memsys_parameters parameters;
    struct memsys_extent extents[MEMSYS_EXTENTS];
    unsigned extent_count, parties;
    uint64_t window; /* cycles */
};

struct memsys_weave {
    struct memsys_shape shape;
    struct memsys_shared *shared;
    struct memsys_cluster *cluster;
    uint8_t *first; /* party's own, which is followed by the others': each has whole pages */
    size_t memsys, l2, log, moves, size; /* in a party's own: where these are, behind its `struct memsys_party`, and how much it is */
};

/* NULL: a cluster can be such. */
const char *memsys_shape_wrong(const struct memsys_shape *shape);

/* Bytes of all of it. */
size_t memsys_weave_size(const struct memsys_shape *shape);
/* In `memory` of so many bytes, which starts a page. */
void memsys_weave_open(struct memsys_weave *weave, const struct memsys_shape *shape, void *memory);

/* Whether the memory, which holds what was kept of one, is that of such a cluster, in which nothing leads elsewhere. */
bool memsys_weave_plausible(const struct memsys_weave *weave);

/* Has the cluster's own be there: for whoever ends windows, before anybody goes on. */
void memsys_weave_make(struct memsys_weave *weave);
/* Has a party's own be there, and in `view` where it is. */
void memsys_weave_join(struct memsys_weave *weave, unsigned party, struct memsys_view *view);

static inline struct memsys_party *memsys_weave_party(const struct memsys_weave *weave, unsigned party) {
    return (struct memsys_party *)(weave->first + party * weave->size);
}

static inline struct memsys_moves *memsys_weave_moves(const struct memsys_weave *weave, unsigned party) {
    return (struct memsys_moves *)(weave->first + party * weave->size + weave->moves);
}

/* What has come of windows that a party has been in, and it has not taken; NULL: it has taken all. */
static inline const struct memsys_outcome *memsys_weave_pending(const struct memsys_weave *weave, unsigned number) {
    const struct memsys_party *party = memsys_weave_party(weave, number);
    return party->window == weave->shared->window ? NULL : &party->outcome;
}

void memsys_weave_begin(struct memsys_weave *weave, unsigned party, uint64_t now);

/* Before a party does anything: its clock is at `now`, with what it was charged. Whether it has begun a window. */
static inline bool memsys_weave_enter(struct memsys_weave *weave, unsigned party, uint64_t now) {
    if (memsys_weave_party(weave, party)->window == weave->shared->window) return false;
    memsys_weave_begin(weave, party, now);
    return true;
}

/* Whether the open window ends when nobody has anything to do before `now`. */
static inline bool memsys_weave_due(const struct memsys_weave *weave, uint64_t now) { return now >= weave->shared->end; }

/*
 * While all stand: ends the open window, and opens the one with `now` in it. Charges each party's clock, and tells it in
 * `charges`. `owners`: the VM of each.
 */
void memsys_weave_edge(struct memsys_weave *weave, const unsigned owners[], uint64_t now, uint64_t charges[]);

#endif
