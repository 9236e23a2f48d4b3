/* The Python module of an architecture's engine: the type Core (type.c), and the library below it. */
#include "architecture.h"
#include "construct.h"
#include "rounds_type.h"
#include "type.h"

static PyObject *load(PyObject *module, PyObject *args) {
    (void)module;
    const char *path;
    if (!PyArg_ParseTuple(args, "s", &path) || unicorn_load(path)) return NULL;
    Py_RETURN_NONE;
}

static PyObject *make_ahead(PyObject *module, PyObject *args) {
    (void)module;
    int model;
    if (!PyArg_ParseTuple(args, "i", &model) || core_make_ahead(model)) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"load", load, METH_VARARGS, NULL},
    {"make_ahead", make_ahead, METH_VARARGS, NULL},
    {"attend", rounds_attend, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "baonet.core." ARCH_NAME "._engine", .m_size = -1,
                                        .m_methods = functions};

PyMODINIT_FUNC PyInit__engine(void) {
    if (core_type_ready() || PyType_Ready(&rounds_type)) return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddObjectRef(module, "Core", (PyObject *)&core_type)) Py_CLEAR(module);
    if (module && PyModule_AddObjectRef(module, "Rounds", (PyObject *)&rounds_type)) Py_CLEAR(module);
    return module;
}
