/* What the courier does for the rings between pcpus here and on other nodes, under the host's clock: it plays those. */
#ifndef BAONET_RINGING_H
#define BAONET_RINGING_H

#include "courier.h"

/* Where the rings of a pair are: the one that comes from the pcpu that is far, and the one that goes there. */
struct ring_places {
    uint16_t here, far;
    uint32_t unused;
    uint64_t come, go;
};

/*
 * `places` are in the order of their numbers `far`, and for each of `here`. The memory begins with a byte for each pcpu in it: it
 * is lost. Returns what is wrong, or NULL.
 */
const char *ringing_begin(const struct courier *courier, struct part *part, uint8_t *memory, size_t size, const struct ring_places *places,
                          unsigned count);
void ringing_end(struct part *part);

/* A pcpu here has put something into a ring to `pcpu`, or made room in one from there; or it is here, and lost. */
void ringing_called(struct courier *courier, struct part *part, unsigned pcpu);

/* False: what the peer says is wrong. */
bool ringing_take(struct courier *courier, struct part *part, struct view *from, uint16_t kind, const uint8_t *body, size_t length);

/* Its node is no more. */
void ringing_lost(struct courier *courier, struct part *part, const struct view *view);

/* At all that was ever used, though nobody has called: guests' processes may have destroyed what would tell. */
void ringing_look(struct courier *courier, struct part *part);

/* With what had to stop while much waited for a node: whether something goes there now. */
bool ringing_go_on(struct courier *courier, struct part *part);

#endif
