/* What the Python type Core has for RISC-V alone, and what a report shows of its registers. */
#include "architecture.h"
#include "broadcast.h"
#include "leave.h"
#include "modelled.h"
#include "pages.h"
#include "regions.h"
#include "riscv/fence.h"
#include "riscv/file.h"
#include "riscv/interrupts.h"
#include "riscv/registers.h"
#include "riscv/timer.h"
#include "type.h"

static int put(PyObject *dictionary, const char *name, uint64_t value) {
    PyObject *number = PyLong_FromUnsignedLongLong(value);
    int error = number ? PyDict_SetItemString(dictionary, name, number) : -1;
    Py_XDECREF(number);
    return error;
}

PyObject *arch_examine(struct core *core) {
    const struct arch_state *state = &core->state.arch;
    const struct {
        const char *name;
        uint64_t value;
    } registers[] = {
        {"sstatus", (ENV64(core, ENV_MSTATUS) & STATUS_WRITABLE) | STATUS_READ_ONLY},
        {"privilege", ENV64(core, ENV_PRIV)},
        {"stvec", ENV64(core, ENV_STVEC)},
        {"sscratch", ENV64(core, ENV_SSCRATCH)},
        {"sepc", ENV64(core, ENV_SEPC)},
        {"scause", ENV64(core, ENV_SCAUSE)},
        {"stval", ENV64(core, ENV_STVAL)},
        {"satp", ENV64(core, ENV_SATP)},
        {"sie", ENV64(core, ENV_MIE)},
        {"sip", interrupts_pending(core) | (timer_is_late(core) ? SIP(INTERRUPT_TIMER) : 0)},
        {"scounteren", ENV64(core, ENV_SCOUNTEREN)},
        {"senvcfg", state->senvcfg},
        {"stimecmp", state->timer.compare},
        {"time", timer_now(core)},
        {"exceptions", core->state.exceptions},
        {"last_cause", state->last.cause},
        {"last_epc", state->last.epc},
        {"last_tval", state->last.tval},
    };
    PyObject *found = PyDict_New();
    for (size_t i = 0; found && i < sizeof registers / sizeof *registers; i++)
        if (put(found, registers[i].name, registers[i].value)) Py_CLEAR(found);
    return found;
}

static PyObject *set_timer(PyObject *self, PyObject *deadline) {
    unsigned long long compare = PyLong_AsUnsignedLongLong(deadline);
    if (PyErr_Occurred()) return NULL;
    timer_set((struct core *)self, compare);
    Py_RETURN_NONE;
}

static PyObject *inject(PyObject *self, PyObject *identity) {
    struct core *core = (struct core *)self;
    unsigned long long number = PyLong_AsUnsignedLongLong(identity);
    if (PyErr_Occurred()) return NULL;
    file_inject(core, number);
    interrupts_update(core);
    Py_RETURN_NONE;
}

static PyObject *clear_file(PyObject *self, PyObject *unused) {
    (void)unused;
    struct core *core = (struct core *)self;
    core->state.arch.file = (struct file){0};
    interrupts_update(core);
    Py_RETURN_NONE;
}

static PyObject *identities(const struct core *core, const uint64_t *array) {
    PyObject *list = PyList_New(0);
    for (unsigned identity = 1; list && identity <= core->arch.identities; identity++) {
        if (!(array[identity / 64] >> identity % 64 & 1)) continue;
        PyObject *number = PyLong_FromUnsignedLong(identity);
        if (!number || PyList_Append(list, number)) Py_CLEAR(list);
        Py_XDECREF(number);
    }
    return list;
}

static PyObject *file(PyObject *self, PyObject *unused) {
    (void)unused;
    struct core *core = (struct core *)self;
    const struct file *file = &core->state.arch.file;
    return Py_BuildValue("(KKNN)", (unsigned long long)file->delivery, (unsigned long long)file->threshold,
                         identities(core, file->pending), identities(core, file->enabled));
}

static PyObject *map_imsic(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    unsigned long long base;
    unsigned harts;
    if (!PyArg_ParseTuple(args, "KI", &base, &harts)) return NULL;
    if (base & ~PAGE_MASK || !core->arch.aia) {
        PyErr_SetString(PyExc_ValueError, "files are of whole pages, and of a core with AIA");
        return NULL;
    }
    core->arch.files = base;
    core->arch.files_of_harts = harts;
    Py_RETURN_NONE;
}

static bool is_in_vm(const struct core *core, unsigned long pcpu) {
    for (unsigned i = 0; i < core->sibling_count; i++)
        if (core->siblings[i] == pcpu) return true;
    return pcpu == core->index;
}

/* Which harts are meant, only their models are told. */
static PyObject *fence(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    PyObject *pcpus;
    unsigned what;
    unsigned long long start, size, asid;
    if (!PyArg_ParseTuple(args, "OIKKK", &pcpus, &what, &start, &size, &asid)) return NULL;
    struct fenced fenced = {.what = (enum fence)what, .start = start, .size = size, .asid = (uint16_t)asid};
    PyObject *meant = PySequence_Fast(pcpus, "pcpus: a sequence");
    if (!meant) return NULL;
    if (core->model) modelled_enter(core);
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(meant) && !PyErr_Occurred(); i++) {
        unsigned long pcpu = PyLong_AsUnsignedLong(PySequence_Fast_GET_ITEM(meant, i));
        if (!PyErr_Occurred() && is_in_vm(core, pcpu)) fence_model(core, (unsigned)pcpu, &fenced);
    }
    Py_DECREF(meant);
    if (PyErr_Occurred()) return NULL;
    fence_remote(core, &fenced);
    Py_RETURN_NONE;
}

static uint64_t line_of(void *interrupt) { return SIP((uintptr_t)interrupt); }

static PyObject *get_line(PyObject *self, void *interrupt) {
    return PyBool_FromLong((((struct core *)self)->state.arch.lines & line_of(interrupt)) != 0);
}

static int set_line(PyObject *self, PyObject *value, void *interrupt) {
    struct core *core = (struct core *)self;
    int on = value ? PyObject_IsTrue(value) : 0;
    if (on < 0) return -1;
    core->state.arch.lines = (core->state.arch.lines & ~line_of(interrupt)) | (on ? line_of(interrupt) : 0);
    interrupts_update(core);
    return 0;
}

PyMethodDef arch_methods[] = {
    {"set_timer", set_timer, METH_O, NULL},
    {"inject", inject, METH_O, NULL},
    {"clear_file", clear_file, METH_NOARGS, NULL},
    {"file", file, METH_NOARGS, NULL},
    {"map_imsic", map_imsic, METH_VARARGS, NULL},
    {"fence", fence, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
PyGetSetDef arch_fields[] = {
    {"software", get_line, set_line, NULL, (void *)INTERRUPT_SOFTWARE},
    {"external", get_line, set_line, NULL, (void *)INTERRUPT_EXTERNAL},
    {"timer", get_line, set_line, NULL, (void *)INTERRUPT_TIMER},
    {NULL, NULL, NULL, NULL, NULL},
};
