/*
 * The Python module _node: what a process of a node needs that has no core, whatever the architecture is. How large what the
 * processes share is, how one has another's core leave its guest, what it asks of the kernel, and digests of records.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "chain.h"
#include "confined.h"
#include "ledger.h"
#include "pl011_state.h"
#include "slot.h"

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

/*
 * hand_over(ledger, entries, segment, page, owner, let_go): nobody keeps anything of a page, which was written to from outside,
 * or is elsewhere now.
 */
static PyObject *hand_over(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer ledger, entries;
    unsigned short segment, owner;
    unsigned page;
    unsigned long long let_go;
    if (!PyArg_ParseTuple(args, "w*w*HIHK", &ledger, &entries, &segment, &page, &owner, &let_go)) return NULL;
    bool fits = (page + (size_t)1) * sizeof(struct ownership) <= (size_t)entries.len && (size_t)ledger.len >= sizeof(struct ledger);
    if (fits) {
        ((struct ownership *)entries.buf)[page] = (struct ownership){.let_go = let_go, .owner = owner};
        ledger_record(ledger.buf, (struct transfer){.page = page, .segment = segment, .taker = SHARED, .written = true});
    }
    PyBuffer_Release(&ledger);
    PyBuffer_Release(&entries);
    if (!fits) return PyErr_Format(PyExc_IndexError, "no page %u", page);
    Py_RETURN_NONE;
}

/* write(ledger, entries, segment, page): somebody outside has; its owner has let it go now, and all may read it. */
static PyObject *write_page(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer ledger, entries;
    unsigned short segment;
    unsigned page;
    if (!PyArg_ParseTuple(args, "w*w*HI", &ledger, &entries, &segment, &page)) return NULL;
    bool fits = (page + (size_t)1) * sizeof(struct ownership) <= (size_t)entries.len && (size_t)ledger.len >= sizeof(struct ledger);
    if (fits) {
        struct ownership *entry = (struct ownership *)entries.buf + page;
        if (entry->owner != SHARED) entry->let_go = atomic_load(&((struct ledger *)ledger.buf)->lanes[entry->owner - 1].visible);
        entry->owner = SHARED;
        ledger_record(ledger.buf, (struct transfer){.page = page, .segment = segment, .taker = SHARED, .written = true});
    }
    PyBuffer_Release(&ledger);
    PyBuffer_Release(&entries);
    if (!fits) return PyErr_Format(PyExc_IndexError, "no page %u", page);
    Py_RETURN_NONE;
}

/* visible(ledger, pcpu): the latest time that the guest of a pcpu that stands can have seen. */
static PyObject *visible(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer ledger;
    unsigned pcpu;
    if (!PyArg_ParseTuple(args, "w*I", &ledger, &pcpu)) return NULL;
    bool fits = sizeof(struct ledger) + (pcpu + (size_t)1) * sizeof(struct lane) <= (size_t)ledger.len;
    uint64_t time = fits ? atomic_load(&((struct ledger *)ledger.buf)->lanes[pcpu].visible) : 0;
    PyBuffer_Release(&ledger);
    if (!fits) return PyErr_Format(PyExc_IndexError, "no pcpu %u", pcpu);
    return PyLong_FromUnsignedLongLong(time);
}

static PyMethodDef functions[] = {
    {"kick", kick, METH_VARARGS, NULL},
    {"hand_over", hand_over, METH_VARARGS, NULL},
    {"write", write_page, METH_VARARGS, NULL},
    {"visible", visible, METH_VARARGS, NULL},
    {"chain", chain, METH_VARARGS, NULL},
    {"die_with_parent", die_with_parent, METH_VARARGS, NULL},
    {"tell_refused_calls", tell_refused_calls, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "baonet.core._node", .m_size = -1,
                                        .m_methods = functions};

PyMODINIT_FUNC PyInit__node(void) {
    PyObject *module = PyModule_Create(&definition);
    if (!module) return NULL;
    if (PyModule_AddIntConstant(module, "SLOT_SIZE", sizeof(struct slot)) ||
        PyModule_AddIntConstant(module, "PL011_STATE_SIZE", sizeof(struct uart_state)) ||
        PyModule_AddIntConstant(module, "LEDGER_SIZE", sizeof(struct ledger)) ||
        PyModule_AddIntConstant(module, "LANE_SIZE", sizeof(struct lane))) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
