/* A queue of bytes. */
#include "parcels.h"

#include <stdlib.h>
#include <string.h>

int parcels_add(struct parcels *parcels, uint64_t first, uint64_t second, const void *bytes, size_t length) {
    struct parcel *parcel = malloc(sizeof *parcel + length);
    if (!parcel) return -1;
    *parcel = (struct parcel){.numbers = {first, second}, .length = length};
    memcpy(parcel->bytes, bytes, length);
    if (parcels->last)
        parcels->last->next = parcel;
    else
        parcels->first = parcel;
    parcels->last = parcel;
    return 0;
}

void parcels_clear(struct parcels *parcels) {
    for (struct parcel *parcel = parcels->first, *next; parcel; parcel = next) {
        next = parcel->next;
        free(parcel);
    }
    *parcels = (struct parcels){0};
}
