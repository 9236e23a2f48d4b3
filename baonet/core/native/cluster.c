#include "cluster.h"

#include "cluster_shape.h"

bool cluster_open(struct memsys_weave *weave, PyObject *buffer, PyObject *bytes, PyObject **view) {
    struct memsys_shape shape;
    if (!shape_from(bytes, &shape) || !(*view = PyMemoryView_FromObject(buffer))) return false;
    const Py_buffer *memory = PyMemoryView_GET_BUFFER(*view);
    if (memory->readonly || (size_t)memory->len < memsys_weave_size(&shape)) {
        PyErr_SetString(PyExc_ValueError, "the memory of the cluster is read-only or too small");
        Py_CLEAR(*view);
        return false;
    }
    memsys_weave_open(weave, &shape, memory->buf);
    return true;
}

PyObject *core_join(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    PyObject *buffer, *shape, *view;
    unsigned party;
    if (!PyArg_ParseTuple(args, "OOI", &buffer, &shape, &party)) return NULL;
    if (!core->hz || core->weave) return PyErr_Format(PyExc_ValueError, "a core in virtual time joins one cluster, once");
    struct memsys_weave *weave = PyMem_Calloc(1, sizeof *weave);
    if (!weave) return PyErr_NoMemory();
    if (!cluster_open(weave, buffer, shape, &view)) {
        PyMem_Free(weave);
        return NULL;
    }
    int kept = PyList_Append(core->buffers, view);
    Py_DECREF(view);
    if (kept || party >= weave->shape.parties) {
        PyMem_Free(weave);
        return kept ? NULL : PyErr_Format(PyExc_IndexError, "the cluster has no pcpu %u", party);
    }
    memsys_weave_join(weave, party, &core->view);
    core->weave = weave;
    core->party = party;
    Py_RETURN_NONE;
}
