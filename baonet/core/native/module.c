/* The Python module: the type Core (type.c), and what needs no core. */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "confined.h"
#include "leave.h"
#include "pl011.h"
#include "type.h"

static PyObject *load(PyObject *module, PyObject *args) {
    (void)module;
    const char *path;
    if (!PyArg_ParseTuple(args, "s", &path) || unicorn_load(path)) return NULL;
    Py_RETURN_NONE;
}

/* The parent may have ended before the kernel was asked to tell. */
static PyObject *die_with_parent(PyObject *module, PyObject *args) {
    (void)module;
    int parent;
    if (!PyArg_ParseTuple(args, "i", &parent)) return NULL;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL)) return PyErr_SetFromErrno(PyExc_OSError);
    if (getppid() != parent) raise(SIGKILL);
    Py_RETURN_NONE;
}

static PyObject *kick(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer slots;
    unsigned index;
    if (!PyArg_ParseTuple(args, "w*I", &slots, &index)) return NULL;
    bool fits = (index + 1) * sizeof(struct slot) <= (size_t)slots.len;
    if (fits) slot_kick((struct slot *)slots.buf + index, KICK_DOORBELL);
    PyBuffer_Release(&slots);
    if (!fits) return PyErr_Format(PyExc_IndexError, "no slot %u", index);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"load", load, METH_VARARGS, NULL},
    {"kick", kick, METH_VARARGS, NULL},
    {"die_with_parent", die_with_parent, METH_VARARGS, NULL},
    {"tell_refused_calls", tell_refused_calls, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "_engine", .m_size = -1, .m_methods = functions};

PyMODINIT_FUNC PyInit__engine(void) {
    if (core_type_ready()) return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (!module) return NULL;
    if (PyModule_AddObjectRef(module, "Core", (PyObject *)&core_type) ||
        PyModule_AddIntConstant(module, "SLOT_SIZE", sizeof(struct slot)) ||
        PyModule_AddIntConstant(module, "PL011_STATE_SIZE", (long)uart_state_size())) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
