#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "named.h"

static bool is_parameter(PyObject *key) {
#define MEMSYS_FIELD(name, standard) \
    if (!PyUnicode_CompareWithASCIIString(key, #name)) return true;
    if (PyUnicode_Check(key)) {
        MEMSYS_PARAMETERS(MEMSYS_FIELD)
    }
#undef MEMSYS_FIELD
    return false;
}

static bool take_one(PyObject *value, const char *name, uint32_t *parameter) {
    int overflows;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflows);
    if (number == -1 && PyErr_Occurred()) return false;
    if (overflows || number < 0 || number > UINT32_MAX)
        return PyErr_Format(PyExc_ValueError, "the memory system's %s must be from 0 to %u", name, UINT32_MAX), false;
    *parameter = (uint32_t)number;
    return true;
}

bool memsys_take_named(PyObject *named, struct memsys_parameters *parameters) {
    Py_ssize_t place = 0, known = 0;
    PyObject *key, *value;
    *parameters = memsys_cortex_a53;
#define MEMSYS_FIELD(name, standard)                                       \
    if ((value = PyDict_GetItemString(named, #name))) {                    \
        if (!take_one(value, #name, &parameters->name)) return false;      \
        known++;                                                           \
    }
    MEMSYS_PARAMETERS(MEMSYS_FIELD)
#undef MEMSYS_FIELD
    if (known == PyDict_Size(named)) return true;
    const char *names =
#define MEMSYS_FIELD(name, standard) " " #name
        MEMSYS_PARAMETERS(MEMSYS_FIELD);
#undef MEMSYS_FIELD
    while (PyDict_Next(named, &place, &key, &value) && is_parameter(key)) {}
    PyErr_Format(PyExc_ValueError, "a memory system has no parameter %R; it has%s", key, names);
    return false;
}

bool memsys_take_checked(PyObject *named, struct memsys_parameters *parameters) {
    if (!memsys_take_named(named, parameters)) return false;
    struct memsys_wrong wrong = memsys_check(parameters);
    if (wrong.field) PyErr_Format(PyExc_ValueError, "the memory system's %s %s", wrong.field, wrong.why);
    return !wrong.field;
}
