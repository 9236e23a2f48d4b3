/* What a VM and its noisy neighbour share (message.c, neighbour.c). */
#ifndef GUEST_NEIGHBOUR_H
#define GUEST_NEIGHBOUR_H

#include <stdbool.h>

#include "meet.h"

struct neighbours {
    struct meeting victim, neighbour;
    _Alignas(64) bool stop; /* written by the victim */
};

#endif
