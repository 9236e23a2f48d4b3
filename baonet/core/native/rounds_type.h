/* The Python type Rounds. */
#ifndef BAONET_ROUNDS_TYPE_H
#define BAONET_ROUNDS_TYPE_H

#include "core.h"

extern PyTypeObject rounds_type;

#endif
