/* A core as plain data: methods of the Python type. */
#ifndef BAONET_SAVE_H
#define BAONET_SAVE_H

#include "core.h"

PyObject *core_save(PyObject *self, PyObject *unused);
PyObject *core_load(PyObject *self, PyObject *data);

#endif
