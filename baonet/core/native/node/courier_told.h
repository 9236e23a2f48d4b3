/* What a courier tells when it is asked: methods of its Python type. */
#ifndef BAONET_COURIER_TOLD_H
#define BAONET_COURIER_TOLD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *courier_statistics(PyObject *self, PyObject *none);
PyObject *courier_synchronised(PyObject *self, PyObject *none);
PyObject *courier_clocks(PyObject *self, PyObject *none);
PyObject *courier_hottest(PyObject *self, PyObject *none);

#endif
