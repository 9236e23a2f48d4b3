/* Maintenance of TLBs that a pcpu asks of one of another node. */
#ifndef BAONET_PASSING_H
#define BAONET_PASSING_H

#include "pending.h"

/* What pcpus of this node have asked of one of another. */
void passing_send(struct part *part, struct view *view, unsigned pcpu);

/* All here have done it: who asked is told. */
void passing_done(struct part *part, const struct pending *pending);

/* FRAME_MAINTAIN and FRAME_MAINTAINED. False: what the peer says is wrong. */
bool passing_take(struct courier *courier, struct part *part, struct view *from, uint16_t kind, const uint8_t *body, size_t length);

#endif
