/* System registers that are served natively, and what they have at reset. */
#ifndef BAONET_ARMV8_REGISTERS_H
#define BAONET_ARMV8_REGISTERS_H

#include "core.h"

/* -1 with a Python error. */
int registers_define(struct core *core);

/* Of a new core; of a vCPU that was on before. */
void registers_initialise(struct core *core);
void registers_restart(struct core *core);

#endif
