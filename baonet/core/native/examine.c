/* What a report shows of a core, and how the machine's CPUs are when a run ends. */
#include "examine.h"

#include "armv8/aarch32.h"
#include "armv8/timer.h"
#include "pl011.h"
#include "storm.h"

static int put(PyObject *dictionary, const char *name, uint64_t value) {
    PyObject *number = PyLong_FromUnsignedLongLong(value);
    int error = number ? PyDict_SetItemString(dictionary, name, number) : -1;
    Py_XDECREF(number);
    return error;
}

PyObject *core_state(PyObject *self, PyObject *unused) {
    (void)unused;
    struct core *core = (struct core *)self;
    uint8_t *env = core->env;
    const struct exception *last = &core->state.last_exception;
    const struct {
        const char *name;
        uint64_t value;
    } registers[] = {
        {"sp", core_x(core)[31]},
        {"sp_el0", FIELD(uint64_t, env, ENV_SP_EL0)},
        {"sp_el1", FIELD(uint64_t, env, ENV_SP_EL1)},
        {"elr_el1", FIELD(uint64_t, env, ENV_ELR_EL1)},
        {"esr_el1", FIELD(uint64_t, env, ENV_ESR_EL1)},
        {"far_el1", FIELD(uint64_t, env, ENV_FAR_EL1)},
        {"spsr_el1", FIELD(uint64_t, env, ENV_SPSR_EL1)},
        {"vbar_el1", FIELD(uint64_t, env, ENV_VBAR_EL1)},
        {"sctlr_el1", FIELD(uint64_t, env, ENV_SCTLR_EL1)},
        {"pstate", aarch32_pstate(core)},
        {"exceptions", core->state.exceptions},
        {"last_esr", last->esr},
        {"last_elr", last->elr},
        {"last_far", last->far},
        {"last_spsr", last->spsr},
    };
    PyObject *found = PyDict_New();
    for (size_t i = 0; found && i < sizeof registers / sizeof *registers; i++)
        if (put(found, registers[i].name, registers[i].value)) Py_CLEAR(found);
    return found;
}

/* (INTID, whether the VM has that interrupt, CTL with its ISTATUS, CVAL, the counter now) of the two timers. */
PyObject *core_timers(PyObject *self, PyObject *unused) {
    (void)unused;
    struct core *core = (struct core *)self;
    PyObject *list = PyList_New(0);
    unsigned long long now = timer_now(core);
    for (int i = 0; list && i < 2; i++) {
        struct timer *timer = &core->state.timers[i];
        unsigned long long status = (timer->ctl & 1) && now >= timer->cval ? 4 : 0;
        PyObject *entry = Py_BuildValue("(INKKK)", timer->intid, PyBool_FromLong(timer->assigned), timer->ctl | status,
                                        (unsigned long long)timer->cval, now);
        if (!entry || PyList_Append(list, entry)) Py_CLEAR(list);
        Py_XDECREF(entry);
    }
    return list;
}

/* (UARTRIS, UARTIMSC, characters that wait to be read) of each UART, by number. */
PyObject *core_uarts(PyObject *self, PyObject *unused) {
    (void)unused;
    struct core *core = (struct core *)self;
    PyObject *list = PyList_New(0);
    for (unsigned i = 0; list && i < core->uart_count; i++) {
        uint32_t ris, imsc;
        uint64_t waiting;
        uart_examine(core->uarts[i], &ris, &imsc, &waiting);
        PyObject *entry = Py_BuildValue("(IIK)", ris, imsc, (unsigned long long)waiting);
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
    if (!core_storm((struct core *)self, &taken, &instructions, &interrupts)) Py_RETURN_NONE;
    return Py_BuildValue("(KKN)", (unsigned long long)taken, (unsigned long long)instructions,
                         PyBool_FromLong(interrupts));
}
