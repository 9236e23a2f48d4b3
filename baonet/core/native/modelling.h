/* The model of a core's memory system, as Python has it made, and what is kept of it. */
#ifndef BAONET_MODELLING_H
#define BAONET_MODELLING_H

#include "core.h"

PyObject *core_model_memory(PyObject *self, PyObject *args);
PyObject *core_map_physical(PyObject *self, PyObject *args);
PyObject *core_touches(PyObject *self, PyObject *args, PyObject *keywords);
PyObject *core_pay(PyObject *self, PyObject *number);
PyObject *core_begin_window(PyObject *self, PyObject *window);

void modelling_clear(struct core *core);

/* None: there is no model. Whether what was kept may be loaded; and then, loaded. */
PyObject *modelling_saved(struct core *core);
bool modelling_plausible(struct core *core, PyObject *saved);
void modelling_load(struct core *core, PyObject *saved);

#endif
