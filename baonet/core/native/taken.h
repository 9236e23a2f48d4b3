/* Records and console output as Python has them, when it takes them: methods of the Python type. */
#ifndef BAONET_TAKEN_H
#define BAONET_TAKEN_H

#include "core.h"

PyObject *core_take_records(PyObject *self, PyObject *all);
PyObject *core_take_output(PyObject *self, PyObject *unused);

/* Lists of (records, began, ended) and of (uart, position, bytes), which stay where they are; NULL with a Python error. */
PyObject *taken_chunks(const struct core *core);
PyObject *taken_pieces(const struct core *core);

#endif
