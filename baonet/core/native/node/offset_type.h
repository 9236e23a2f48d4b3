/* The estimator of offset.h as Python has it, for whoever would know how good it is. */
#ifndef BAONET_OFFSET_TYPE_H
#define BAONET_OFFSET_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyTypeObject offset_type;

#endif
