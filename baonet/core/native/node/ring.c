/* One end of a ring puts in, the other takes out; who is killed amid either has not done it. */
#include "ring.h"

#include <string.h>

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

ptrdiff_t ring_room(struct ring *ring, uint64_t head) {
    uint64_t filled = head - atomic_load(&ring->tail);
    return filled > RING_DATA || atomic_load(&ring->closed) ? -1 : (ptrdiff_t)(RING_DATA - filled);
}

static size_t put(struct ring *ring, uint64_t *head, const unsigned char *bytes, size_t size) {
    size_t at = *head % RING_DATA, first = least(size, RING_DATA - at);
    memcpy(ring->data + at, bytes, first);
    memcpy(ring->data, bytes + first, size - first);
    *head += size;
    atomic_store(&ring->head, *head);
    return size;
}

ptrdiff_t ring_put(struct ring *ring, uint64_t *head, const void *bytes, size_t size) {
    size_t done = 0;
    for (bool told = false;;) {
        ptrdiff_t free = ring_room(ring, *head);
        if (free < 0) return -1;
        if (free) done += put(ring, head, (const unsigned char *)bytes + done, least(size - done, (size_t)free));
        if (done == size || told) return (ptrdiff_t)done;
        atomic_store(&ring->starved, 1); /* before the last look, as the receiver looks at this when it has made room */
        told = true;
    }
}

ptrdiff_t ring_filled(struct ring *ring, uint64_t tail) {
    uint64_t filled = atomic_load(&ring->head) - tail;
    return filled > RING_DATA ? -1 : (ptrdiff_t)filled;
}

void ring_show(const struct ring *ring, uint64_t tail, void *bytes, size_t size) {
    size_t at = tail % RING_DATA, first = least(size, RING_DATA - at);
    memcpy(bytes, ring->data + at, first);
    memcpy((unsigned char *)bytes + first, ring->data, size - first);
}

bool ring_skip(struct ring *ring, uint64_t *tail, size_t size) {
    *tail += size;
    atomic_store(&ring->tail, *tail);
    return atomic_load(&ring->starved) && atomic_exchange(&ring->starved, 0);
}

bool ring_get(struct ring *ring, uint64_t *tail, void *bytes, size_t size) {
    ring_show(ring, *tail, bytes, size);
    return ring_skip(ring, tail, size);
}
