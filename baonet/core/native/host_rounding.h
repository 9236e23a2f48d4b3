/*
 * How the host computes with floating point while a guest runs: to nearest, with small numbers as they are, and without exceptions,
 * whatever the program around it has chosen for its threads.
 */
#ifndef BAONET_HOST_ROUNDING_H
#define BAONET_HOST_ROUNDING_H

#include <xmmintrin.h>

#define HOST_ROUNDING 0x1f80u /* MXCSR: all exceptions masked, to nearest, no DAZ, no FTZ */

/* Returns what was. */
static inline unsigned host_rounding_begin(void) {
    unsigned was = _mm_getcsr();
    _mm_setcsr(HOST_ROUNDING);
    return was;
}
static inline void host_rounding_end(unsigned was) { _mm_setcsr(was); }

#endif
