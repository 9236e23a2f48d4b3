/* Links as Python has them, until they are a courier's: link_type.c. */
#ifndef BAONET_LINK_TYPE_H
#define BAONET_LINK_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "link.h"

extern PyTypeObject keys_type, link_type;

/* The link is the taker's from now on. Returns what it needs as long as it lives; NULL with a Python error. */
PyObject *link_give(PyObject *self, struct link *link);

#endif
