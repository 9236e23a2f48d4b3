/* The Python type Rounds. */
#ifndef BAONET_ROUNDS_TYPE_H
#define BAONET_ROUNDS_TYPE_H

#include "core.h"

extern PyTypeObject rounds_type;

/* attend(ledger, cores, failed): from now on a thread does what whoever conducts asks of these cores. */
PyObject *rounds_attend(PyObject *module, PyObject *args);

#endif
