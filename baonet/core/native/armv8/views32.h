/* Registers of CP14 and CP15. */
#ifndef BAONET_ARMV8_VIEWS32_H
#define BAONET_ARMV8_VIEWS32_H

#include "core.h"

/* -1 with a Python error. */
int views32_define(struct core *core);

#endif
