/* What the courier does for an island under the host's clock: rights to pages, and maintenance that must reach other nodes. */
#ifndef BAONET_COHERENT_H
#define BAONET_COHERENT_H

#include "place.h"

/* A table of such an island: home has all pages. False: no memory. */
bool coherent_begin(const struct courier *courier, const struct part *part, struct table *table);
void coherent_end(struct part *part);

/* A pcpu of this node has called, or something was asked here of one that is on another. */
void coherent_called(struct courier *courier, struct part *part, unsigned pcpu);

/* A pcpu of this node says something to one of that, which is told behind what comes of this. */
void coherent_rings(struct courier *courier, struct part *part, unsigned pcpu, const struct view *view);

/* False: what the peer says is wrong. */
bool coherent_take(struct courier *courier, struct part *part, struct view *from, uint16_t kind, const uint8_t *body, size_t length);

/* Its node is no more. */
void coherent_lost(struct courier *courier, struct part *part, const struct view *view);

/* In any thread but the courier's, which it waits for: all nodes have had the same bytes put into the pages of a segment. */
void coherent_reset(struct courier *courier, struct part *part, struct table *table);

/* All here that use the page have let go of what was recalled. */
void coherent_gave(const struct place *at);

/* What was asked so, whose process has ended, and what could not be done at once. */
void coherent_look(struct courier *courier, struct part *part);

/* When that is worth while though nobody calls: UINT64_MAX: there is nothing. */
uint64_t coherent_due(const struct part *part);

/* In any thread: the process of a pcpu here is no more. The courier is called then. */
void coherent_ended(struct part *part, unsigned pcpu);

#endif
