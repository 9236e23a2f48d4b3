/* Breakpoints, single step and the debug communications channel. */
#ifndef BAONET_ARMV8_DEBUG_H
#define BAONET_ARMV8_DEBUG_H

#include "core.h"

/* A write of DBGDTR_EL0. */
void debug_transmit(void *env, const void *ri, uint64_t value);

#endif
