/* The chain of links that is the digest of a pcpu. */
#ifndef BAONET_CHAIN_H
#define BAONET_CHAIN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Function of the Python module. */
PyObject *chain(PyObject *module, PyObject *arguments);

#endif
