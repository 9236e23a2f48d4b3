/* Errands (errands.h) as Python has them: what is lent to the engine, and taken back. */
#ifndef BAONET_LENDING_H
#define BAONET_LENDING_H

#include "core.h"

PyObject *core_run_errands(PyObject *core, PyObject *args);
PyObject *core_run_errands_promptly(PyObject *core, PyObject *args);
PyObject *core_lend(PyObject *core, PyObject *args);
PyObject *core_take_back(PyObject *core, PyObject *unused);
PyObject *core_caught_up(PyObject *core, PyObject *unused);
void lending_clear(struct core *core);

#endif
