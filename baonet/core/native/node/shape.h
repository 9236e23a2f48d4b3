/* How much memory a cluster takes whose memory takes time: weave.h. */
#ifndef BAONET_SHAPE_H
#define BAONET_SHAPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *cluster_size(PyObject *module, PyObject *shape);
/* The names of a memory system's parameters, in the order in which a shape has them. */
PyObject *shape_parameters(void);

#endif
