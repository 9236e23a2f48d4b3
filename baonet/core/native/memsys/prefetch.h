/*
 * The stride prefetcher: it looks at the misses of loads, and asks for lines ahead.
 *
 * What it has asked for is kept beside the first level until it is wanted, with the time at which it comes: on a board it goes
 * into the cache, but there it would be a hit with a state.
 */
#ifndef BAONET_MEMSYS_PREFETCH_H
#define BAONET_MEMSYS_PREFETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "l2.h"
#include "parameters.h"

#define PREFETCH_STREAMS 8u
#define AHEAD_LINES 32u
#define AHEAD_BY_INSTRUCTION 4u /* lines that PRFM and PLD may have under way beside the streams' */

static inline uint32_t ahead_capacity(const struct memsys_parameters *parameters) {
    return parameters->prefetch_streams * parameters->prefetch_lines + AHEAD_BY_INSTRUCTION;
}

/*
 * Lines that have been asked for: the oldest makes room, when it has come. `many` and `hints` are by the line: how many are here,
 * where the last is.
 */
#define AHEAD_HINTS 64u
struct ahead {
    uint32_t capacity, next;
    uint64_t lines[AHEAD_LINES]; /* NO_LINE: free */
    uint64_t ready[AHEAD_LINES]; /* when it is there, in cycles */
    uint8_t many[AHEAD_HINTS], hints[AHEAD_HINTS];
};
static inline void ahead_init(struct ahead *ahead, const struct memsys_parameters *parameters) {
    *ahead = (struct ahead){.capacity = ahead_capacity(parameters)};
    for (uint32_t i = 0; i < AHEAD_LINES; i++) ahead->lines[i] = NO_LINE;
}
/* Where a line is; -1: not here. */
static inline int ahead_find(const struct ahead *ahead, uint64_t line) {
    uint32_t hint = line & (AHEAD_HINTS - 1);
    if (!ahead->many[hint]) return -1;
    if (ahead->lines[ahead->hints[hint]] == line) return ahead->hints[hint];
    for (uint32_t i = 0; i < ahead->capacity; i++)
        if (ahead->lines[i] == line) return (int)i;
    return -1;
}
/* Whether all that may be under way is, so that nothing else can be asked for: the one that would make room has not come. */
static inline bool ahead_full(const struct ahead *ahead, uint64_t now) {
    return ahead->lines[ahead->next] != NO_LINE && ahead->ready[ahead->next] > now;
}
static inline void ahead_drop(struct ahead *ahead, int place) {
    ahead->many[ahead->lines[place] & (AHEAD_HINTS - 1)]--;
    ahead->lines[place] = NO_LINE;
}
/* Gives the place; *lost is the line that has made room, or NO_LINE. A line that was here is forgotten first. */
static inline uint32_t ahead_add(struct ahead *ahead, uint64_t line, uint64_t ready, uint64_t *lost) {
    int old = ahead_find(ahead, line);
    if (old >= 0) ahead_drop(ahead, old);
    uint32_t place = ahead->next;
    ahead->next = place + 1 < ahead->capacity ? place + 1 : 0;
    *lost = ahead->lines[place];
    if (*lost != NO_LINE) ahead_drop(ahead, (int)place);
    ahead->lines[place] = line;
    ahead->ready[place] = ready;
    ahead->many[line & (AHEAD_HINTS - 1)]++;
    ahead->hints[line & (AHEAD_HINTS - 1)] = (uint8_t)place;
    return place;
}

struct stream {
    uint64_t last;   /* line; NO_LINE: free */
    int32_t stride;  /* in lines; 0: not known yet */
    uint32_t equal;  /* strides that were it */
    uint64_t furthest; /* line that it has asked for */
};
struct prefetcher {
    uint32_t next, reserved;
    struct stream streams[PREFETCH_STREAMS];
};
static inline void prefetcher_init(struct prefetcher *prefetcher) {
    *prefetcher = (struct prefetcher){0};
    for (uint32_t i = 0; i < PREFETCH_STREAMS; i++) prefetcher->streams[i].last = NO_LINE;
}

/* A load has missed `line`, or wanted it when it was under way. Gives how many lines are to be asked for, in `lines`. */
uint32_t memsys_prefetcher_see(struct prefetcher *prefetcher, const struct memsys_parameters *parameters, uint64_t line,
                        uint64_t lines[]);

#endif
