/*
 * The Python module _node: what a process of a node needs that has no core, whatever the architecture is. How large what the
 * processes share is, how one has another's core leave its guest, what it asks of the kernel, and digests of records.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <sys/prctl.h>

#include "chain.h"
#include "child.h"
#include "confined.h"
#include "courier.h"
#include "courier_type.h"
#include "ledger.h"
#include "link_type.h"
#include "offset_type.h"
#include "transfers.h"
#include "protocol_type.h"
#include "pulse.h"
#include "ring.h"
#include "rings.h"
#include "shape.h"
#include "slot.h"
#include "uart_state.h"

/* Linux lets a sleep that has a limit last 50 us longer, to wake several at once: a guest's timer would be that late. */
static PyObject *exact_timeouts(PyObject *module, PyObject *none) {
    (void)module, (void)none;
    if (prctl(PR_SET_TIMERSLACK, 1)) return PyErr_SetFromErrno(PyExc_OSError);
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
    {"kick", kick, METH_VARARGS, NULL},
    {"hand_over", hand_over, METH_VARARGS, NULL},
    {"write", write_page, METH_VARARGS, NULL},
    {"fetch", fetch_page, METH_VARARGS, NULL},
    {"known", known_time, METH_VARARGS, NULL},
    {"cluster_size", cluster_size, METH_O, NULL},
    {"cluster_party", cluster_party, METH_VARARGS, NULL},
    {"chain", chain, METH_VARARGS, NULL},
    {"call", call, METH_VARARGS, NULL},
    {"rung", rung, METH_VARARGS, NULL},
    {"exact_timeouts", exact_timeouts, METH_NOARGS, NULL},
    {"die_with_parent", die_with_parent, METH_VARARGS, NULL},
    {"fork", fork_processes, METH_O, NULL},
    {"tell_refused_calls", tell_refused_calls, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "baonet.core._node", .m_size = -1,
                                        .m_methods = functions};

/* Names of frames, by their numbers. */
static int add_frames(PyObject *module) {
    PyObject *names = PyTuple_New(FRAME_KINDS);
    for (unsigned kind = 0; names && kind < FRAME_KINDS; kind++) {
        PyObject *name = PyUnicode_FromString(frame_names[kind]);
        if (!name) Py_CLEAR(names);
        if (name) PyTuple_SET_ITEM(names, kind, name);
    }
    int failed = names ? PyModule_AddObjectRef(module, "FRAMES", names) : -1;
    Py_XDECREF(names);
    return failed;
}

static int add_parameters(PyObject *module) {
    PyObject *names = shape_parameters();
    int failed = names ? PyModule_AddObjectRef(module, "MEMORY_PARAMETERS", names) : -1;
    Py_XDECREF(names);
    return failed;
}

PyMODINIT_FUNC PyInit__node(void) {
    PyObject *module = PyModule_Create(&definition);
    if (!module) return NULL;
    if (PyModule_AddType(module, &rings_type) || PyModule_AddType(module, &courier_type) || PyModule_AddType(module, &pulse_type) ||
        PyModule_AddType(module, &keys_type) || PyModule_AddType(module, &link_type) || PyModule_AddType(module, &offset_type) ||
        PyModule_AddType(module, &directory_type) || PyModule_AddType(module, &holder_type) ||
        PyModule_AddIntConstant(module, "SLOT_SIZE", sizeof(struct slot)) ||
        PyModule_AddIntConstant(module, "RING_SIZE", RING_SIZE) || PyModule_AddIntConstant(module, "BEATS", BEATS) ||
        PyModule_AddIntConstant(module, "UART_STATE_SIZE", sizeof(struct uart_state)) ||
        PyModule_AddIntConstant(module, "LEDGER_SIZE", sizeof(struct ledger)) ||
        PyModule_AddIntConstant(module, "LANE_SIZE", sizeof(struct lane)) || add_parameters(module) ||
        add_frames(module)) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
