/* The address translation instructions. */
#ifndef BAONET_ARMV8_AT_H
#define BAONET_ARMV8_AT_H

#include "core.h"

int at_define(struct core *core);

#endif
