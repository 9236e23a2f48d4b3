/* The Python type Core: one emulated CPU. baonet/core/cpu.py gives it its typed face and documents it. */
#include "type.h"

#include "architecture.h"
#include "behalf.h"
#include "clock.h"
#include "cluster.h"
#include "construct.h"
#include "events.h"
#include "examine.h"
#include "count.h"
#include "leave.h"
#include "lending.h"
#include "memory_counts.h"
#include "modelled.h"
#include "modelling.h"
#include "ownership.h"
#include "prompt.h"
#include "regions.h"
#include "rights.h"
#include "run.h"
#include "save.h"
#include "storm.h"
#include "taken.h"
#include "trace.h"
#include "uart.h"
#include "words.h"

/* What is called for an emulated access belongs to who has the core. */
static int core_traverse(PyObject *self, visitproc visit, void *arg) {
    struct core *core = (struct core *)self;
    Py_VISIT(core->read_emulated);
    Py_VISIT(core->write_emulated);
    Py_VISIT(core->outbox);
    Py_VISIT(core->expects);
    Py_VISIT(core->ringside);
    Py_VISIT(core->hears);
    Py_VISIT(core->frames);
    Py_VISIT(core->take_back);
    return 0;
}

static int core_clear(PyObject *self) {
    struct core *core = (struct core *)self;
    Py_CLEAR(core->read_emulated);
    Py_CLEAR(core->write_emulated);
    Py_CLEAR(core->outbox);
    Py_CLEAR(core->expects);
    Py_CLEAR(core->ringside);
    Py_CLEAR(core->hears);
    Py_CLEAR(core->frames);
    Py_CLEAR(core->take_back);
    return 0;
}

static void core_dealloc(PyObject *self) {
    struct core *core = (struct core *)self;
    PyObject_GC_UnTrack(self);
    if (core->pristine) unicorn.free(core->pristine);
    if (core->uc) unicorn.close(core->uc);
    for (unsigned i = 0; i < core->uart_count; i++) PyMem_Free(core->uarts[i]);
    PyMem_Free(core->uarts);
    PyMem_Free(core->windows);
    PyMem_Free(core->answers);
    for (unsigned i = 0; i < core->region_count; i++) PyMem_Free(core->regions[i].cached);
    PyMem_Free(core->regions);
    Py_XDECREF(core->read_emulated);
    Py_XDECREF(core->write_emulated);
    Py_XDECREF(core->outbox);
    Py_XDECREF(core->expects);
    Py_XDECREF(core->ringside);
    Py_XDECREF(core->hears);
    Py_XDECREF(core->frames);
    Py_XDECREF(core->take_back);
    lending_clear(core);
    parcels_clear(&core->pieces);
    Py_XDECREF(core->buffers);
    parcels_clear(&core->chunks);
    PyMem_Free(core->noted);
    PyMem_Free(core->records);
    PyMem_Free(core->weave);
    modelling_clear(core);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *reset(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    unsigned long long entry, context;
    if (!PyArg_ParseTuple(args, "KK", &entry, &context)) return NULL;
    int error = unicorn.context_restore(core->uc, core->pristine);
    if (error) {
        python_error(PyExc_RuntimeError, "unicorn: reset: %s", unicorn.strerror(error));
        return NULL;
    }
    if (core->state.translated) count_flush(core);
    unicorn.tlb_flush(core->cpu);
    ownership_forget(core);
    core->state.rest = 0;
    event_forget(core);
    storm_forget(core);
    arch_reset(core, entry, context);
    modelled_reset(core);
    Py_RETURN_NONE;
}

/* As `reset`, for a CPU that was on before and keeps what Bao does not reset. */
static PyObject *restart(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    unsigned long long entry, context;
    if (!PyArg_ParseTuple(args, "KK", &entry, &context)) return NULL;
    core->state.deferred = EXIT_NONE;
    arch_restart(core, entry, context);
    modelled_translate_anew(core);
    Py_RETURN_NONE;
}

static PyObject *run(PyObject *self, PyObject *budget) {
    long long instructions = PyLong_AsLongLong(budget);
    if (instructions == -1 && PyErr_Occurred()) return NULL;
    int reason = core_run((struct core *)self, instructions);
    return reason == EXIT_ERROR ? NULL : PyLong_FromLong(reason);
}

static PyObject *run_lent(PyObject *self, PyObject *budget) {
    struct core *core = (struct core *)self;
    long long instructions = PyLong_AsLongLong(budget);
    if (instructions == -1 && PyErr_Occurred()) return NULL;
    if (!core->prompt || !core->lent) return PyErr_Format(PyExc_RuntimeError, "nothing is lent to this core, or not under the host's clock");
    int reason = prompt_run(core, instructions);
    return reason == EXIT_ERROR ? NULL : PyLong_FromLong(reason);
}

static PyObject *run_until(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    unsigned long long limit;
    int polite = 0, frozen = 0, silent = 0;
    if (!PyArg_ParseTuple(args, "K|ppp", &limit, &polite, &frozen, &silent)) return NULL;
    if (!core->hz) {
        PyErr_SetString(PyExc_RuntimeError, "this core follows the host's clock");
        return NULL;
    }
    core->scratch.polite = polite;
    core->scratch.frozen = frozen;
    core->scratch.silent = silent;
    int reason = core_run_until(core, limit);
    core->scratch.frozen = core->scratch.silent = false;
    return reason == EXIT_ERROR ? NULL : PyLong_FromLong(reason);
}

static PyObject *skip_to(PyObject *self, PyObject *cycle) {
    struct core *core = (struct core *)self;
    unsigned long long until = PyLong_AsUnsignedLongLong(cycle);
    if (PyErr_Occurred()) return NULL;
    uint64_t now = clock_now(core);
    if (until > now) clock_skip(core, until - now);
    Py_RETURN_NONE;
}

static PyObject *tell_time(PyObject *self, PyObject *unused) {
    (void)unused;
    ((struct core *)self)->state.told = true;
    Py_RETURN_NONE;
}

static PyObject *stand(PyObject *self, PyObject *unused) {
    (void)unused;
    clock_stand((struct core *)self);
    Py_RETURN_NONE;
}

static PyObject *fall_behind(PyObject *self, PyObject *nanoseconds) {
    unsigned long long stood = PyLong_AsUnsignedLongLong(nanoseconds);
    if (PyErr_Occurred()) return NULL;
    clock_fall_behind((struct core *)self, stood);
    Py_RETURN_NONE;
}

static PyObject *alarm_cycle(PyObject *self, PyObject *unused) {
    (void)unused;
    uint64_t cycle = clock_alarm((struct core *)self);
    return cycle == UINT64_MAX ? PyLong_FromLong(-1) : PyLong_FromUnsignedLongLong(cycle);
}

static PyObject *note(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    struct core *core = (struct core *)self;
    unsigned long long fields[4];
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "note(kind, a, b, c)");
        return NULL;
    }
    for (int i = 0; i < 4; i++) fields[i] = PyLong_AsUnsignedLongLongMask(arguments[i]);
    if (PyErr_Occurred()) return NULL;
    if (!core->catches_up) trace(core, (enum kind)fields[0], (uint32_t)fields[1], fields[2], fields[3]);
    Py_RETURN_NONE;
}

static PyObject *deadline(PyObject *self, PyObject *unused) {
    (void)unused;
    return PyLong_FromLongLong(arch_deadline((struct core *)self));
}

/* To be called before the messages are taken: what comes later rings again. */
static PyObject *answer_doorbell(PyObject *self, PyObject *unused) {
    (void)unused;
    slot_answer(((struct core *)self)->slot);
    Py_RETURN_NONE;
}

static PyObject *wakes(PyObject *self, PyObject *unused) {
    (void)unused;
    struct core *core = (struct core *)self;
    arch_update(core);
    return PyBool_FromLong(FIELD(uint32_t, core->cpu, CS_INTERRUPT_REQUEST) & ARCH_INTERRUPT_INPUTS);
}

static struct uart *uart_number(struct core *core, unsigned number) {
    if (number < core->uart_count) return core->uarts[number];
    PyErr_SetString(PyExc_IndexError, "no such UART");
    return NULL;
}

static PyObject *put_input(PyObject *self, PyObject *args) {
    unsigned number;
    Py_buffer data;
    if (!PyArg_ParseTuple(args, "Iy*", &number, &data)) return NULL;
    struct uart *uart = uart_number((struct core *)self, number);
    size_t taken = uart ? uart_input(uart, data.buf, (size_t)data.len) : 0;
    PyBuffer_Release(&data);
    return uart ? PyLong_FromSize_t(taken) : NULL;
}

static PyObject *put_break(PyObject *self, PyObject *args) {
    unsigned number;
    if (!PyArg_ParseTuple(args, "I", &number)) return NULL;
    struct uart *uart = uart_number((struct core *)self, number);
    return uart ? PyBool_FromLong(uart_break(uart)) : NULL;
}

/* The next thing that run() would tell of, which the hypervisor may hear while the guest cannot run; -1: nothing. */
static PyObject *take_event(PyObject *self, PyObject *unused) {
    (void)unused;
    return PyLong_FromLong(event_next((struct core *)self));
}

static PyObject *translate(PyObject *self, PyObject *args) {
    unsigned long long va;
    int fetch = 0;
    uint64_t ipa;
    if (!PyArg_ParseTuple(args, "K|p", &va, &fetch)) return NULL;
    struct core *core = (struct core *)self;
    running = core;
    bool found = arch_translate(core, va, fetch ? MMU_INST_FETCH : MMU_DATA_LOAD, &ipa);
    running = NULL;
    rights_use(core);
    if (!found) Py_RETURN_NONE;
    return PyLong_FromUnsignedLongLong(ipa);
}

/* Up to 16 bytes of what is at a virtual address; none where the guest maps nothing or it is not RAM. */
static PyObject *code(PyObject *self, PyObject *address) {
    struct core *core = (struct core *)self;
    uint64_t va = PyLong_AsUnsignedLongLong(address), ipa;
    if (PyErr_Occurred()) return NULL;
    running = core;
    bool found = arch_translate(core, va, MMU_INST_FETCH, &ipa);
    running = NULL;
    rights_use(core);
    struct region *region = found ? region_find(core, ipa) : NULL;
    if (!region || !region->host) return PyBytes_FromStringAndSize(NULL, 0);
    ownership_look(core, region, ipa);
    uint64_t offset = ipa - region->ipa, page_rest = PAGE_SIZE - ipa % PAGE_SIZE;
    PyObject *bytes = PyBytes_FromStringAndSize((char *)region->host + offset, page_rest < 16 ? (Py_ssize_t)page_rest : 16);
    rights_use(core);
    return bytes;
}

static PyObject *statistics(PyObject *self, PyObject *unused) {
    (void)unused;
    struct core *core = (struct core *)self;
    PyObject *exits = PyList_New(EXIT_ERROR);
    if (!exits) return NULL;
    for (int i = 0; i < EXIT_ERROR; i++) PyList_SET_ITEM(exits, i, PyLong_FromUnsignedLongLong(core->state.statistics[i]));
    return Py_BuildValue("{sKsNsKsKsKsKsKsKsKsK}", "instructions", core_retired(core), "exits", exits, "native_exceptions",
                         core->state.native_exceptions, "emulated_accesses", core->state.emulated_accesses, "broadcasts",
                         core->state.broadcasts, "blocks_translated", core->state.translated, "lines_invalidated",
                         core->state.invalidated, "pages_taken", core->state.pages_taken, "ahead", core->state.ahead,
                         "instructions_foreseen", core->scratch.polling.instructions);
}

static PyObject *get_x(PyObject *self, void *unused) {
    (void)unused;
    return core_words(self, core_x((struct core *)self), ARCH_REGISTERS);
}
static PyObject *get_exit(PyObject *self, void *unused) {
    (void)unused;
    return core_words(self, ((struct core *)self)->state.exit, EXIT_FIELDS);
}
static PyObject *get_pc(PyObject *self, void *unused) {
    (void)unused;
    return PyLong_FromUnsignedLongLong(core_pc((struct core *)self));
}
static PyObject *get_time(PyObject *self, void *unused) {
    (void)unused;
    return PyLong_FromUnsignedLongLong(clock_now((struct core *)self));
}
static PyObject *get_yielded(PyObject *self, void *unused) {
    (void)unused;
    return PyBool_FromLong(((struct core *)self)->scratch.yielded);
}
static PyObject *get_blocked(PyObject *self, void *unused) {
    (void)unused;
    const struct core *core = (struct core *)self;
    const struct need *need = &core->scratch.need;
    if (!core->scratch.blocked) Py_RETURN_NONE;
    return need->page ? Py_BuildValue("(HIN)", need->segment, need->number, PyBool_FromLong(need->write)) : PyTuple_New(0);
}
static PyObject *get_visible(PyObject *self, void *unused) {
    (void)unused;
    return PyLong_FromUnsignedLongLong(clock_visible((struct core *)self));
}
static PyObject *get_chunks(PyObject *self, void *unused) {
    (void)unused;
    return PyBool_FromLong(((struct core *)self)->chunks.first != NULL);
}
static PyObject *get_output(PyObject *self, void *unused) {
    (void)unused;
    return PyBool_FromLong(uart_has_output((struct core *)self));
}
static int set_pc(PyObject *self, PyObject *value, void *unused) {
    (void)unused;
    unsigned long long pc = value ? PyLong_AsUnsignedLongLong(value) : 0;
    if (PyErr_Occurred()) return -1;
    core_pc((struct core *)self) = pc;
    return 0;
}

static PyMethodDef core_methods[] = {
    {"map_ram", core_map_ram, METH_VARARGS, NULL},
    {"map_uart", core_map_uart, METH_VARARGS, NULL},
    {"own", core_own, METH_VARARGS, NULL},
    {"map_unassigned", core_map_unassigned, METH_VARARGS, NULL},
    {"join", core_join, METH_VARARGS, NULL},
    {"emulate", core_emulate, METH_VARARGS, NULL},
    {"answer", core_answer, METH_O, NULL},
    {"run_errands", core_run_errands, METH_VARARGS, NULL},
    {"run_errands_promptly", core_run_errands_promptly, METH_VARARGS, NULL},
    {"run_lent", run_lent, METH_O, NULL},
    {"lend", core_lend, METH_VARARGS, NULL},
    {"take_back", core_take_back, METH_NOARGS, NULL},
    {"caught_up", core_caught_up, METH_NOARGS, NULL},
    {"reset", reset, METH_VARARGS, NULL},
    {"restart", restart, METH_VARARGS, NULL},
    {"run", run, METH_O, NULL},
    {"run_until", run_until, METH_VARARGS, NULL},
    {"skip_to", skip_to, METH_O, NULL},
    {"tell_time", tell_time, METH_NOARGS, NULL},
    {"stand", stand, METH_NOARGS, NULL},
    {"fall_behind", fall_behind, METH_O, NULL},
    {"alarm", alarm_cycle, METH_NOARGS, NULL},
    {"note", (PyCFunction)(void (*)(void))note, METH_FASTCALL, NULL},
    {"take_records", core_take_records, METH_O, NULL},
    {"deadline", deadline, METH_NOARGS, NULL},
    {"answer_doorbell", answer_doorbell, METH_NOARGS, NULL},
    {"wakes", wakes, METH_NOARGS, NULL},
    {"take_output", core_take_output, METH_NOARGS, NULL},
    {"put_input", put_input, METH_VARARGS, NULL},
    {"put_break", put_break, METH_VARARGS, NULL},
    {"put_output", core_put_output, METH_O, NULL},
    {"take_input", core_take_input, METH_O, NULL},
    {"read_memory", core_read_memory, METH_VARARGS, NULL},
    {"write_memory", core_write_memory, METH_VARARGS, NULL},
    {"take_event", take_event, METH_NOARGS, NULL},
    {"translate", translate, METH_VARARGS, NULL},
    {"code", code, METH_O, NULL},
    {"state", core_state, METH_NOARGS, NULL},
    {"uarts", core_uarts, METH_NOARGS, NULL},
    {"storm", core_take_storm, METH_NOARGS, NULL},
    {"memory_counts", core_memory_counts, METH_NOARGS, NULL},
    {"statistics", statistics, METH_NOARGS, NULL},
    {"model_memory", core_model_memory, METH_VARARGS, NULL},
    {"map_physical", core_map_physical, METH_VARARGS, NULL},
    {"pay", core_pay, METH_O, NULL},
    {"touches", (PyCFunction)(void (*)(void))core_touches, METH_VARARGS | METH_KEYWORDS, NULL},
    {"begin_window", core_begin_window, METH_O, NULL},
    {"save", core_save, METH_NOARGS, NULL},
    {"load", core_load, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef core_fields[] = {
    {"x", get_x, NULL, NULL, NULL},
    {"exit", get_exit, NULL, NULL, NULL},
    {"pc", get_pc, set_pc, NULL, NULL},
    {"time", get_time, NULL, NULL, NULL},
    {"yielded", get_yielded, NULL, NULL, NULL},
    {"blocked", get_blocked, NULL, NULL, NULL},
    {"visible", get_visible, NULL, NULL, NULL},
    {"has_records", get_chunks, NULL, NULL, NULL},
    {"has_output", get_output, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
PyTypeObject core_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "baonet.core." ARCH_NAME "._engine.Core",
    .tp_basicsize = sizeof(struct core),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
    .tp_init = core_init,
    .tp_dealloc = core_dealloc,
    .tp_traverse = core_traverse,
    .tp_clear = core_clear,
    .tp_methods = core_methods,
    .tp_getset = core_fields,
};

static int add(const char *name, PyObject *descriptor) {
    int error = descriptor ? PyDict_SetItemString(core_type.tp_dict, name, descriptor) : -1;
    Py_XDECREF(descriptor);
    return error;
}

int core_type_ready(void) {
    if (PyType_Ready(&core_type) || PyType_Ready(&words_type)) return -1;
    for (PyMethodDef *method = arch_methods; method->ml_name; method++)
        if (add(method->ml_name, PyDescr_NewMethod(&core_type, method))) return -1;
    for (PyGetSetDef *field = arch_fields; field->name; field++)
        if (add(field->name, PyDescr_NewGetSet(&core_type, field))) return -1;
    PyType_Modified(&core_type);
    return 0;
}
