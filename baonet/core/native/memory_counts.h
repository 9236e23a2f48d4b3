/* What memory has taken, as Python has it: of a core, and of the clusters of an island. */
#ifndef BAONET_MEMORY_COUNTS_H
#define BAONET_MEMORY_COUNTS_H

#include "core.h"

PyObject *core_memory_counts(PyObject *self, PyObject *unused);
PyObject *rounds_memory_counts(PyObject *self, PyObject *unused);

#endif
