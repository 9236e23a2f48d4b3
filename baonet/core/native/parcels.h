/*
 * Bytes with two numbers, one after another, that wait until somebody takes them: records and console output. They are in
 * memory of C, since a guest that runs in a thread of its own may leave some at any time, and Python is not there then.
 */
#ifndef BAONET_PARCELS_H
#define BAONET_PARCELS_H

#include <stddef.h>
#include <stdint.h>

struct parcel {
    struct parcel *next;
    uint64_t numbers[2];
    size_t length;
    uint8_t bytes[];
};
/* Of zeroes: none. */
struct parcels {
    struct parcel *first, *last;
};

/* A copy of the bytes, behind all others; -1: there is no memory. */
int parcels_add(struct parcels *parcels, uint64_t first, uint64_t second, const void *bytes, size_t length);
void parcels_clear(struct parcels *parcels);

#endif
