/* What the hypervisor does for its guest with the VM's RAM and its console, outside a stay. Methods of the Python type Core. */
#ifndef BAONET_BEHALF_H
#define BAONET_BEHALF_H

#include "core.h"

PyObject *core_put_output(PyObject *self, PyObject *data);
PyObject *core_take_input(PyObject *self, PyObject *most);
PyObject *core_read_memory(PyObject *self, PyObject *args);
PyObject *core_write_memory(PyObject *self, PyObject *args);

#endif
