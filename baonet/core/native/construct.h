/* Making a core: methods of the Python type. */
#ifndef BAONET_CONSTRUCT_H
#define BAONET_CONSTRUCT_H

#include "answers.h"
#include "core.h"

/*
 * Make a CPU of a model (UC_CPU_*) in the library, which the first such core of each process has that is forked from this one
 * later: it copies what it changes of it. -1 with a Python error.
 */
int core_make_ahead(int model);
int core_init(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *core_map_ram(PyObject *self, PyObject *args);
PyObject *core_map_uart(PyObject *self, PyObject *args);
PyObject *core_own(PyObject *self, PyObject *args);
PyObject *core_map_unassigned(PyObject *self, PyObject *args);
PyObject *core_emulate(PyObject *self, PyObject *args);
bool parse_answer(struct answer *answer, PyObject *one);
PyObject *core_answer(PyObject *self, PyObject *answers);

#endif
