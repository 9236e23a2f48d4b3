/* What the Python type Core has for Armv8 alone, and what a report shows of its registers. */
#include "architecture.h"
#include "armv8/aarch32.h"
#include "armv8/interface.h"
#include "armv8/timer.h"
#include "events.h"
#include "regions.h"
#include "type.h"
#include "words.h"

static int put(PyObject *dictionary, const char *name, uint64_t value) {
    PyObject *number = PyLong_FromUnsignedLongLong(value);
    int error = number ? PyDict_SetItemString(dictionary, name, number) : -1;
    Py_XDECREF(number);
    return error;
}

PyObject *arch_examine(struct core *core) {
    uint8_t *env = core->env;
    const struct exception *last = &core->state.arch.last_exception;
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
static PyObject *timers(PyObject *self, PyObject *unused) {
    (void)unused;
    struct core *core = (struct core *)self;
    PyObject *list = PyList_New(0);
    unsigned long long now = timer_now(core);
    for (int i = 0; list && i < TIMERS; i++) {
        struct timer *timer = &core->state.arch.timers[i];
        unsigned long long status = (timer->ctl & 1) && now >= timer->cval ? 4 : 0;
        PyObject *entry = Py_BuildValue("(INKKK)", timer->intid, PyBool_FromLong(timer->assigned), timer->ctl | status,
                                        (unsigned long long)timer->cval, now);
        if (!entry || PyList_Append(list, entry)) Py_CLEAR(list);
        Py_XDECREF(entry);
    }
    return list;
}

static PyObject *map_gicv(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    unsigned long long ipa;
    if (!PyArg_ParseTuple(args, "K", &ipa)) return NULL;
    if (!region_new(core, ipa, 2 * PAGE_SIZE)) return NULL;
    int error = unicorn.mmio_map(core->uc, ipa, 2 * PAGE_SIZE, gicv_read, core, gicv_write, core);
    if (error) {
        python_error(PyExc_RuntimeError, "unicorn: map the CPU interface: %s", unicorn.strerror(error));
        return NULL;
    }
    core->region_count++;
    Py_RETURN_NONE;
}

static PyObject *deactivate(PyObject *self, PyObject *intid) {
    unsigned long number = PyLong_AsUnsignedLong(intid);
    if (PyErr_Occurred()) return NULL;
    timer_deactivate((struct core *)self, (uint32_t)number);
    Py_RETURN_NONE;
}

static PyObject *interface(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    unsigned reg;
    unsigned long long value;
    int frame, write = PyTuple_GET_SIZE(args) == 3;
    if (!PyArg_ParseTuple(args, "pI|K", &frame, &reg, &value)) return NULL;
    if (write) {
        if (frame)
            gicv_write(core->uc, reg, 4, value, core);
        else
            interface_write(core, reg, value);
        Py_RETURN_NONE;
    }
    return PyLong_FromUnsignedLongLong(frame ? gicv_read(core->uc, reg, 4, core) : interface_read(core, reg));
}

static PyObject *interface_state(PyObject *self, PyObject *unused) {
    (void)unused;
    struct core *core = (struct core *)self;
    interface_update(core);
    PyObject *deactivated = PyList_New(0);
    if (!deactivated) return NULL;
    for (unsigned i = core->state.event_tail; i != core->state.event_head; i++) {
        if (core->state.events[i % EVENTS].reason != EXIT_DEACTIVATED) continue;
        PyObject *intid = PyLong_FromUnsignedLong(core->state.events[i % EVENTS].number);
        if (!intid || PyList_Append(deactivated, intid)) return NULL;
        Py_DECREF(intid);
    }
    bool maintenance = core->state.arch.maintenance;
    event_forget(core);
    core->state.arch.maintenance = false;
    uint32_t request = FIELD(uint32_t, core->cpu, CS_INTERRUPT_REQUEST);
    return Py_BuildValue("(iiiN)", !!(request & CPU_INTERRUPT_HARD), !!(request & CPU_INTERRUPT_FIQ), maintenance, deactivated);
}

static PyObject *get_ich(PyObject *self, void *unused) {
    (void)unused;
    return core_words(self, ((struct core *)self)->state.arch.ich, ICH_REGISTERS);
}
PyMethodDef arch_methods[] = {
    {"map_gicv", map_gicv, METH_VARARGS, NULL},
    {"deactivate", deactivate, METH_O, NULL},
    {"interface", interface, METH_VARARGS, NULL},
    {"interface_state", interface_state, METH_NOARGS, NULL},
    {"timers", timers, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
PyGetSetDef arch_fields[] = {
    {"ich", get_ich, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
