/* The Python type Rings: one pcpu's ends of its rings, and its bell. */
#ifndef BAONET_RINGS_H
#define BAONET_RINGS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyTypeObject rings_type;

/* Functions of the Python module. */
PyObject *call(PyObject *module, PyObject *args);
PyObject *rung(PyObject *module, PyObject *args);

#endif
