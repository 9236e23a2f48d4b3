/* A page leaves this node, or what was asked of pcpus here has been done: when these have let go, or have done it. */
#ifndef BAONET_RELEASE_H
#define BAONET_RELEASE_H

#include "pending.h"
#include "place.h"

/* It was recalled, or what kept it is perhaps over. */
void release_page(const struct place *at);

/* What could not go when it was recalled. */
void release_retry(struct courier *courier, struct part *part);

/* Ends what `pending` is for when all have done it, at once if they have. It is freed then. */
void release_when_done(const struct place *at, struct pending *pending);

/* Somebody may have done what was asked. */
void release_look(struct courier *courier, struct part *part);

/* Nothing of a segment is to go any more, or nobody of `view` waits: it is no more. */
void release_forget_segment(struct part *part, unsigned segment);
void release_forget_view(struct part *part, const struct view *view);
void release_end(struct part *part);

/* There is no memory for what others wait for. They know that this node is of no use, and do not wait. */
void release_fail(struct part *part);

#endif
