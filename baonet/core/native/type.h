/* The Python type Core. */
#ifndef BAONET_TYPE_H
#define BAONET_TYPE_H

#include "core.h"

extern PyTypeObject core_type;

#endif
