/* What the ID registers promise. */
#ifndef BAONET_ARMV8_IDENTIFICATION_H
#define BAONET_ARMV8_IDENTIFICATION_H

#include "core.h"

/* -1 with a Python error. */
int identification_define(struct core *core);

#endif
