/* A process under a seccomp filter. */
#ifndef BAONET_CONFINED_H
#define BAONET_CONFINED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Function of the Python module. */
PyObject *tell_refused_calls(PyObject *module, PyObject *arguments);

#endif
