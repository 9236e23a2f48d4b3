/* What a report shows of a core, and how the machine's CPUs are when a run ends. */
#include "examine.h"

#include "architecture.h"
#include "storm.h"
#include "uart.h"

PyObject *core_state(PyObject *self, PyObject *unused) {
    (void)unused;
    return arch_examine((struct core *)self);
}

/* (Interrupts that there are, that are enabled, characters that wait to be read) of each UART, by number. */
PyObject *core_uarts(PyObject *self, PyObject *unused) {
    (void)unused;
    struct core *core = (struct core *)self;
    PyObject *list = PyList_New(0);
    for (unsigned i = 0; list && i < core->uart_count; i++) {
        uint32_t pending, enabled;
        uint64_t waiting;
        uart_examine(core->uarts[i], &pending, &enabled, &waiting);
        PyObject *entry = Py_BuildValue("(IIK)", pending, enabled, (unsigned long long)waiting);
        if (!entry || PyList_Append(list, entry)) Py_CLEAR(list);
        Py_XDECREF(entry);
    }
    return list;
}

/* (taken, instructions between, interrupts and not exceptions) of a storm; None when there is none, or it is told. */
PyObject *core_take_storm(PyObject *self, PyObject *unused) {
    (void)unused;
    uint64_t taken, instructions;
    bool interrupts;
    if (!storm_tell((struct core *)self, &taken, &instructions, &interrupts)) Py_RETURN_NONE;
    return Py_BuildValue("(KKN)", (unsigned long long)taken, (unsigned long long)instructions,
                         PyBool_FromLong(interrupts));
}
