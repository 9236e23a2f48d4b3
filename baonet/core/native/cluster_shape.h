/* The shape of a cluster whose memory takes time, as Python gives it to cores and to nodes. */
#ifndef BAONET_CLUSTER_SHAPE_H
#define BAONET_CLUSTER_SHAPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <string.h>

#include "memsys.h"

/* False: a Python error is set. */
static inline bool shape_from(PyObject *bytes, struct memsys_shape *shape) {
    if (!PyBytes_Check(bytes) || PyBytes_GET_SIZE(bytes) != sizeof *shape) {
        PyErr_SetString(PyExc_ValueError, "this is no shape of a cluster");
        return false;
    }
    memcpy(shape, PyBytes_AS_STRING(bytes), sizeof *shape);
    const char *wrong = memsys_shape_wrong(shape);
    if (wrong) PyErr_SetString(PyExc_ValueError, wrong);
    return !wrong;
}

#endif
