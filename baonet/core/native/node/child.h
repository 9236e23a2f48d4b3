/* Processes that are forked here, and whom they belong to. */
#ifndef BAONET_CHILD_H
#define BAONET_CHILD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Functions of the Python module. */
PyObject *fork_processes(PyObject *module, PyObject *count);
PyObject *die_with_parent(PyObject *module, PyObject *args);

#endif
