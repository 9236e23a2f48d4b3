/* What time it is on all nodes of an island under the host's clock: timing.c. */
#ifndef BAONET_TIMING_H
#define BAONET_TIMING_H

#include "courier.h"
#include "offset.h"

struct timing {
    uint64_t epoch; /* of this node's cores */
    struct offset offset; /* of home */
    bool asks;            /* and has not been answered: */
    uint64_t asked;       /* when, by this node's time */
    uint64_t due;         /* when it asks next, by the host's clock */
    _Atomic bool known;   /* how far home's clock is ahead */
    _Atomic int64_t drift, error; /* in 1e-9, in nanoseconds */
};

/* This node's host has its time 0 at `epoch`. NULL: no memory. */
struct timing *timing_new(uint64_t epoch, bool at_home);

/* When there is something to be asked, by the host's clock; UINT64_MAX: when something comes. And that. */
uint64_t timing_due(const struct part *part);
void timing_ask(struct part *part);

/* Before anything else is said to a node: how late it is. */
void timing_tell(struct part *part, struct view *view);

/* FRAME_TIME, _ASK and _TELL. False: what is said cannot be. */
bool timing_take(struct courier *courier, struct part *part, struct view *from, uint16_t kind, const uint8_t *body, size_t length);

#endif
