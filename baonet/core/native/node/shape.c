#include "shape.h"

#include "cluster_shape.h"

PyObject *cluster_size(PyObject *module, PyObject *bytes) {
    (void)module;
    struct memsys_shape shape;
    return shape_from(bytes, &shape) ? PyLong_FromSize_t(memsys_weave_size(&shape)) : NULL;
}

PyObject *cluster_party(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *bytes;
    unsigned party;
    struct memsys_shape shape;
    struct memsys_weave weave;
    if (!PyArg_ParseTuple(args, "OI", &bytes, &party) || !shape_from(bytes, &shape)) return NULL;
    if (party >= shape.parties) return PyErr_Format(PyExc_IndexError, "the cluster has no pcpu %u", party);
    memsys_weave_open(&weave, &shape, NULL);
    return Py_BuildValue("(nn)", (Py_ssize_t)(weave.first - (uint8_t *)NULL) + (Py_ssize_t)(party * weave.size), (Py_ssize_t)weave.size);
}

PyObject *shape_parameters(void) {
#define NAME(name, value) #name,
    static const char *const names[] = {MEMSYS_PARAMETERS(NAME)};
#undef NAME
    PyObject *tuple = PyTuple_New(sizeof names / sizeof *names);
    for (size_t i = 0; tuple && i < sizeof names / sizeof *names; i++) {
        PyObject *name = PyUnicode_FromString(names[i]);
        if (!name) Py_CLEAR(tuple);
        if (name) PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, name);
    }
    return tuple;
}
