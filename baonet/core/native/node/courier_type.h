/* A courier as Python has it. */
#ifndef BAONET_COURIER_TYPE_H
#define BAONET_COURIER_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyTypeObject courier_type;

#endif
