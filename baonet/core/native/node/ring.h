/*
 * A ring: a stream of bytes from one pcpu to another, in a page that both have mapped. Each end keeps its own count for itself and
 * takes the other's for what a stranger says: who is at the other end may be anybody after an escape.
 */
#ifndef BAONET_RING_H
#define BAONET_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_SIZE 4096
#define RING_DATA (RING_SIZE - 128)
struct ring {
    _Atomic uint64_t head;    /* bytes that the sender has put in since the start */
    _Atomic uint32_t ended;   /* it puts in no more */
    _Atomic uint32_t starved; /* it waits for room */
    _Atomic uint64_t tail __attribute__((aligned(64))); /* bytes that the receiver has taken since the start */
    _Atomic uint32_t closed;                            /* it takes no more */
    unsigned char data[RING_DATA] __attribute__((aligned(64)));
};
_Static_assert(sizeof(struct ring) == RING_SIZE, "one page");

/* Puts in what there is room for, and returns how much: less than `size` leaves word that room is wanted. -1: nobody takes it. */
ptrdiff_t ring_put(struct ring *ring, uint64_t *head, const void *bytes, size_t size);

/* How much there is to take; -1: the sender's count is none. */
ptrdiff_t ring_filled(struct ring *ring, uint64_t tail);

/* For how much there is room; -1: nobody takes it. */
ptrdiff_t ring_room(struct ring *ring, uint64_t head);

/* The first `size` bytes, which there are: copies them; takes them away, and tells whether the sender waits for that; both. */
void ring_show(const struct ring *ring, uint64_t tail, void *bytes, size_t size);
bool ring_skip(struct ring *ring, uint64_t *tail, size_t size);
bool ring_get(struct ring *ring, uint64_t *tail, void *bytes, size_t size);

#endif
