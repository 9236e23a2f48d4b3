#ifndef GUEST_BOARD_FOUND_H
#define GUEST_BOARD_FOUND_H

#include <stdint.h>

/*
 * What there is, from the device tree; `tree` is its address, or it is at the start of RAM. Where there is none, `entry` says
 * which interrupt controller. Under Bao a guest cannot find out itself: an access to what is not there stops the hart.
 */
void look_at_board(uint64_t tree, unsigned entry);

#endif
