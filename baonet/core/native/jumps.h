/* How a block's host code goes on in that of the one that follows it. */
#ifndef BAONET_JUMPS_H
#define BAONET_JUMPS_H

#include "library.h"

/*
 * A TranslationBlock has just been made, and nothing follows it yet. Where it ends in a conditional branch of the guest, it has
 * a conditional jump to each of the two that may follow, rather than one to a jump.
 */
void jumps_shorten(uint8_t *block);

#endif
