/*
 * What is asked of the model of a vCPU's memory system, through its slot, which is locked. What is asked in a window is done when a
 * later one begins, and in which order it was asked makes no difference.
 */
#ifndef BAONET_REQUESTS_H
#define BAONET_REQUESTS_H

#include "slot.h"

static inline void requests_add(struct requests *requests, uint64_t word) {
    for (uint32_t i = 0; i < requests->count; i++)
        if (requests->request[i] == word) return;
    if (requests->count < PENDING_REQUESTS)
        requests->request[requests->count++] = word;
    else
        requests->all = 1;
}

static inline void requests_add_all(struct requests *requests, const struct requests *others) {
    for (uint32_t i = 0; i < others->count && i < PENDING_REQUESTS; i++) requests_add(requests, others->request[i]);
    requests->all |= others->all;
}

static inline void requests_clear(struct requests *requests) { requests->count = requests->all = 0; }

/* What was asked in the window that the slot tells of, if that has ended by the one of this number. */
static inline void requests_close_window(struct slot *slot, uint64_t window) {
    if (slot->window >= window) return;
    requests_add_all(&slot->asked_before, &slot->asked_now);
    requests_clear(&slot->asked_now);
    slot->window = window;
}

#endif
