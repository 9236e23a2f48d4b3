/* The Python type Core. */
#ifndef BAONET_TYPE_H
#define BAONET_TYPE_H

#include "core.h"

extern PyTypeObject core_type;

/* With what the architecture adds to it; -1 with a Python error. */
int core_type_ready(void);

#endif
