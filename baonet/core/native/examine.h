/* What a report shows of a core: methods of the Python type. */
#ifndef BAONET_EXAMINE_H
#define BAONET_EXAMINE_H

#include "core.h"

PyObject *core_state(PyObject *self, PyObject *unused);
PyObject *core_uarts(PyObject *self, PyObject *unused);
PyObject *core_take_storm(PyObject *self, PyObject *unused);

#endif
