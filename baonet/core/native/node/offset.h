/*
 * How far the clock of another host is ahead of one's own, and how fast that grows, from questions what time it is there.
 *
 * Whoever asks knows that the other's clock was read between the question and the answer, and nothing more: a network may take
 * its time in one direction alone. So each answer bounds the offset from both sides. The bounds of earlier answers still hold,
 * wider by as much as the clocks may have drifted apart since; what all of them allow is the offset. How fast they drift is
 * bounded in the same way, by pairs of answers that are far apart. Answers that contradict each other are from a clock that was
 * set, or whose rate has changed: then the last one is all that is known.
 *
 * Pure: no clock, no socket. Times are nanoseconds.
 */
#ifndef BAONET_OFFSET_H
#define BAONET_OFFSET_H

#include <stdint.h>

#define OFFSET_RECENT 32u
#define OFFSET_EPOCHS 64u
#define OFFSET_DRIFTS 1e-3 /* at most, of clocks of which nothing is known yet: 1000 ppm */

struct answer {
    uint64_t sent, received; /* of one's own clock */
    int64_t low, high;       /* the offset was not outside, at some moment between them */
};
struct offset {
    struct answer recent[OFFSET_RECENT]; /* the last of them */
    struct answer best[OFFSET_EPOCHS];   /* of each stretch of time before */
    uint64_t answers, epochs;            /* that are known, of which these are the last */
    struct answer leader;                /* of the stretch that goes on, its best */
    uint64_t stretch;                    /* when that began */
    double slowest, fastest;             /* it grows by so much */
};
struct offset_estimate {
    int64_t offset, error; /* it is not further than `error` from there */
    double drift;
};

/* Nothing is known. */
void offset_begin(struct offset *offset);

/* An answer, not before the one before: at `theirs` of the other's clock. All less than 2**62. */
void offset_feed(struct offset *offset, uint64_t sent, uint64_t theirs, uint64_t received);

/* At a moment of one's own clock, after the last answer. Without one the error is INT64_MAX. */
struct offset_estimate offset_at(const struct offset *offset, uint64_t time);

#endif
