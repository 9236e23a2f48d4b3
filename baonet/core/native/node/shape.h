/* The shape of a cluster whose memory takes time, as Python has it: memsys/weave.h. */
#ifndef BAONET_SHAPE_H
#define BAONET_SHAPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* How much memory such a cluster takes. */
PyObject *cluster_size(PyObject *module, PyObject *shape);
/* (shape, pcpu): where what is of this pcpu alone begins in it, and how much it is. */
PyObject *cluster_party(PyObject *module, PyObject *args);
/* The names of a memory system's parameters, in the order in which a shape has them. */
PyObject *shape_parameters(void);

#endif
