/* What a cluster keeps, and what becomes of it at a window's edge. */
#ifndef BAONET_MEMSYS_CLUSTER_STATE_H
#define BAONET_MEMSYS_CLUSTER_STATE_H

#include "l2.h"
#include "prefetch.h"
#include "window.h"

/* What is kept of a party from window to window: what it thinks it waits for, replayed from its logs, and what it owes. */
struct party {
    struct memsys_channel own;      /* as its hierarchy has it */
    struct path path;               /* likewise, */
    struct ahead ahead;             /* and likewise */
    uint64_t really[AHEAD_LINES];   /* when these lines are there */
    struct path really_path;
    int64_t balance;                /* cycles that it is still to be charged; negative: that it was charged too many */
};
struct part {
    uint64_t line, lines; /* of an extent */
    uint64_t evictors, pages, words; /* where they begin, in bytes from the cluster */
};
struct memsys_cluster {
    struct memsys_parameters parameters;
    struct memsys_cluster_counters counters;
    struct memsys_channel channel;
    struct party parties[MEMSYS_PARTIES];
    uint64_t l2; /* in bytes from here */
    uint64_t part_count;
    struct part parts[MEMSYS_EXTENTS];
};

/* Who drove a line out, plus 1; NULL: it is in no extent. */
static inline uint8_t *evictor_of(struct memsys_cluster *cluster, uint64_t line, uint32_t **page) {
    for (uint64_t i = 0; i < cluster->part_count; i++) {
        const struct part *part = &cluster->parts[i];
        if (line - part->line >= part->lines) continue;
        *page = (uint32_t *)((uint8_t *)cluster + part->pages) + ((line - part->line) >> (MEMSYS_PAGE_SHIFT - MEMSYS_LINE_SHIFT));
        return (uint8_t *)cluster + part->evictors + (line - part->line);
    }
    return NULL;
}

/* A line has missed that `owner` has asked for. */
static inline void count_miss(struct memsys_cluster *cluster, uint64_t line, unsigned owner) {
    uint32_t *page;
    const uint8_t *evictor = evictor_of(cluster, line, &page);
    unsigned by = evictor ? *evictor - 1u : MEMSYS_COLD;
    cluster->counters.missed[owner][by < MEMSYS_OWNERS ? by : MEMSYS_COLD]++;
    if (evictor) ++*page;
}

/* A line has left for one that `owner` has asked for. */
static inline void note_evictor(struct memsys_cluster *cluster, uint64_t line, unsigned owner) {
    uint32_t *page;
    uint8_t *evictor = evictor_of(cluster, line, &page);
    if (evictor) *evictor = (uint8_t)(owner + 1);
}

/* Whether a dirty line that has left the first level of a party was not there any more: another has taken it, whose it is since. */
bool memsys_is_stale(struct memsys_cluster *cluster, unsigned party, uint64_t line);

#endif
