/* The Python module _memsys: the memory system alone, without an engine, as tests ask it. */
#include "memsys_types.h"
#include "play.h"

static PyObject *check(PyObject *module, PyObject *fields) {
    (void)module;
    struct memsys_parameters parameters;
    if (!PyDict_Check(fields)) return PyErr_Format(PyExc_TypeError, "no dict");
    if (!memsys_take_named(fields, &parameters)) return NULL;
    struct memsys_wrong wrong = memsys_check(&parameters);
    if (!wrong.field) Py_RETURN_NONE;
    return Py_BuildValue("(ss)", wrong.field, wrong.why);
}

static PyMethodDef functions[] = {{"check", check, METH_O, NULL}, {"play", play, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "baonet.core._memsys", .m_size = -1,
                                        .m_methods = functions};

PyMODINIT_FUNC PyInit__memsys(void) {
    PyObject *module = PyModule_Create(&definition), *defaults = parameters_told(&memsys_cortex_a53);
    if (!module || !defaults || PyModule_AddType(module, &pcpu_type) || PyModule_AddType(module, &cluster_type) ||
        PyModule_AddObjectRef(module, "CORTEX_A53", defaults) || PyModule_AddIntConstant(module, "VMS", MEMSYS_VMS) ||
        PyModule_AddIntConstant(module, "COLD", MEMSYS_COLD))
        Py_CLEAR(module);
    Py_XDECREF(defaults);
    return module;
}
