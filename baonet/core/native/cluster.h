/* Python's part of having a core, or the rounds of an island, in a cluster whose memory takes time: memsys/weave.h. */
#ifndef BAONET_CLUSTER_H
#define BAONET_CLUSTER_H

#include "core.h"
#include "memsys.h"

/* The cluster that is in a buffer, of a shape as bytes; `view` keeps the buffer exported. False: a Python error is set. */
bool cluster_open(struct memsys_weave *weave, PyObject *buffer, PyObject *shape, PyObject **view);

PyObject *core_join(PyObject *self, PyObject *args);

#endif
