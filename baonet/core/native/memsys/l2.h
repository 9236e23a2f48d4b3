/*
 * A second-level cache: the cluster's, or a pcpu's replica. What can be asked of one, what that costs with a channel to memory
 * behind it, and how it is written down.
 */
#ifndef BAONET_MEMSYS_L2_H
#define BAONET_MEMSYS_L2_H

#include <stdbool.h>
#include <stdint.h>

#include "parameters.h"
#include "window.h"

#define L2_SETS_MIN 64u
#define L2_SIZE_MAX (64u << 20)
#define NO_LINE UINT64_MAX
#define LANES 4u /* tags that are compared at once */

/* What is asked of the second level; in a record, 4 bits. */
enum request {
    ASK_LOAD,           /* of data: into the first level */
    ASK_STORE,          /* likewise, behind the store buffer */
    ASK_FETCH,          /* of code */
    ASK_WALK,           /* of a descriptor */
    ASK_PREFETCH,       /* of data: nobody waits */
    ASK_USE,            /* none: a line that was asked for ahead is wanted */
    ASK_WRITEBACK,      /* a dirty line leaves the first level */
    ASK_VICTIM,         /* a clean one does: where no line comes here so, whoever has it written down wants to be seen to have lost it */
    ASK_STREAM,         /* a full line of stores passes by the first level */
    ASK_STREAM_PAST,    /* and by the second, which is written to if it has the line */
    ASK_MERGE,          /* a part of a line of such stores */
    ASK_UNCACHED_LOAD,
    ASK_UNCACHED_STORE,
    ASK_CLEAN,          /* to memory */
    ASK_FLUSH,          /* likewise, and it is gone */
    ASK_WAY,            /* ASK_FLUSH or, by WAY_CLEAN, ASK_CLEAN by set and way: in place of the line */
};
#define WAY_SHIFT 26
#define WAY_CLEAN (1ull << 32)

#define L2_VALID 1u
#define L2_DIRTY 2u

/*
 * `window` counts merges; `changed` of a set is the window in which it last changed, `groups` the same of 64 sets, and `last` a bit for
 * each of these that has changed in that one. A replica counts as the cluster's did when it was last adopted.
 */
struct memsys_l2 {
    uint64_t window;
    uint32_t sets, ways, set_bits, on_eviction;
    uint32_t row;       /* ways, rounded up to LANES: those beyond are never used */
    uint32_t places[9]; /* so that `tags` begin a line of the host's */
    uint32_t tags[];    /* by set, then way: the rest of the line, and flags; then what there is of each set, groups[], last[] */
};
_Static_assert(sizeof(struct memsys_l2) == 64, "tags are aligned");

struct answer {
    bool hit, writeback; /* writeback: a dirty line goes to memory, the victim or the one that was asked for */
    uint64_t victim;     /* the line that has left; NO_LINE */
};

bool memsys_l2_has(const struct memsys_l2 *l2, uint64_t line);

/* memsys_adopt. */
void memsys_l2_adopt(struct memsys_l2 *replica, const struct memsys_l2 *l2);
/* The other way round, at the end of a window that nobody else has changed anything in: both count as after a merge. */
void memsys_l2_take_over(struct memsys_l2 *l2, struct memsys_l2 *replica);

/* The channel to memory: serves a line after the other. */
struct memsys_channel {
    uint64_t free; /* when it is */
    uint64_t area; /* the work that has stood before it, over time: cycles squared */
};
struct cost {
    uint32_t cache, memory, wait; /* cycles; of ASK_PREFETCH: until the line is there */
};
static inline uint32_t cost_sum(struct cost cost) { return cost.cache + cost.memory + cost.wait; }

/* Whether a request is for a line that memory has to give where the second level has none: those that are counted. */
static inline bool is_fill(enum request request) {
    return request <= ASK_PREFETCH || request == ASK_MERGE;
}

/* Whether an answer has nothing to do with the channel, so that it takes as many cycles at any time; how many. */
static inline bool is_settled(enum request request, bool hit, bool writeback) {
    const uint32_t anyhow = 1u << ASK_WRITEBACK | 1u << ASK_VICTIM | 1u << ASK_STREAM | 1u << ASK_USE;
    return !writeback && (hit | (anyhow >> request & 1));
}
static inline uint32_t settled_cycles(const struct memsys_parameters *parameters, enum request request) {
    const uint32_t reads = 1u << ASK_LOAD | 1u << ASK_FETCH | 1u << ASK_WALK | 1u << ASK_PREFETCH;
    const uint32_t maintenance = 1u << ASK_CLEAN | 1u << ASK_FLUSH | 1u << ASK_WAY;
    const uint32_t writes = 1u << ASK_STORE | 1u << ASK_MERGE;
    if ((reads | maintenance) >> request & 1) return parameters->l2_latency;
    return writes >> request & 1 ? parameters->l2_store : 0;
}

/*
 * The path between a core's L1D and the second level moves a line after the other: those that the second level has, and what of
 * stores passes by the first. Lines from memory come as slowly as the channel gives them, and what leaves for a line that comes
 * goes the other way: these are never waited for.
 */
struct path {
    uint64_t free; /* when it is */
};
static inline bool keeps_path(enum request request, bool hit) {
    const uint32_t comes = 1u << ASK_LOAD | 1u << ASK_STORE | 1u << ASK_PREFETCH;
    const uint32_t passes = 1u << ASK_STREAM | 1u << ASK_STREAM_PAST | 1u << ASK_MERGE;
    return (passes | (hit ? comes : 0)) >> request & 1;
}
/* How long such a one waits for those before it. */
static inline uint32_t take_path(struct path *path, const struct memsys_parameters *parameters, uint64_t now) {
    uint64_t wait = path->free > now ? path->free - now : 0;
    path->free = now + wait + parameters->l2_path;
    return (uint32_t)wait;
}
static inline uint32_t path_wait(struct path *path, const struct memsys_parameters *parameters, enum request request, bool hit,
                                 uint64_t now) {
    return keeps_path(request, hit) ? take_path(path, parameters, now) : 0;
}

/* What any other costs at `now`: its line, or its victim, goes over the channel. `others`: a wait to add if it is waited for. */
void memsys_serve(struct memsys_channel *channel, const struct memsys_parameters *parameters, enum request request, bool hit,
                  bool writeback, uint64_t now, uint32_t others, struct cost *cost);

/* A record: line 34, time since the window's begin 23, request 4, hit, writeback, hypervisor. */
#define RECORD_TIME_BITS 23
#define RECORD_TIME_MOST ((1u << RECORD_TIME_BITS) - 1)
#define RECORD_LINE_BITS (MEMSYS_ADDRESS_BITS - MEMSYS_LINE_SHIFT)
struct record {
    uint64_t line, time;
    enum request request;
    bool hit, writeback, hypervisor;
};
static inline uint64_t record_pack(struct record r) {
    return r.line << 30 | r.time << 7 | (uint64_t)r.request << 3 | (uint64_t)r.hit << 2 |
           (uint64_t)r.writeback << 1 | r.hypervisor;
}
static inline uint64_t record_line(uint64_t word) { return word >> 30; }
static inline struct record record_unpack(uint64_t word) {
    return (struct record){.line = record_line(word),
                           .time = word >> 7 & ((1u << RECORD_TIME_BITS) - 1),
                           .request = (enum request)(word >> 3 & 15),
                           .hit = word >> 2 & 1,
                           .writeback = word >> 1 & 1,
                           .hypervisor = word & 1};
}
_Static_assert(RECORD_LINE_BITS + RECORD_TIME_BITS + 7 == 64, "a record is a word");

/*
 * What has come of records by the replica: a line that was asked for was not there, or one has left for it (a record may have both, in
 * this order). A deed is the line above its flags.
 */
#define DEED_HYPERVISOR 1u
#define DEED_MISSED 2u
#define DEED_BITS 2
static inline uint64_t deed_line(uint64_t deed) { return deed >> DEED_BITS; }
static inline const uint64_t *log_deeds(const struct memsys_log *log) { return log->records + log->capacity; }

#endif
