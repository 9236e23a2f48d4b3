/*
 * A core as plain data, and a core that goes on from it. That is, between two stays:
 *
 *   struct state              what the guest has brought the core to
 *   ENV_KEPT bytes            of the library's CPU: its registers, the exclusive monitor, how floating point rounds. They are
 *                             what uc_context_save has, but for the CPU's features and for pointers, which are of the one
 *                             that is here. What follows from them, the architecture makes anew (arch_renew).
 *   console output, records   that nobody has taken
 *   the model of its memory   if it has one, as far as the core alone has it (modelling.c)
 *
 * The rest is not state. Translations, TLBs and the code map are made again when they are missed; maintenance that waits in
 * the slot is of these. The kick word asks for a look around, which whoever has loaded a core does anyway. Interrupt inputs
 * follow from struct state at the next stay, and what else the library's CPUState has is set at the beginning of each. RAM
 * and the registers of a UART are in memory that others share, who keep it.
 *
 * What is loaded is looked at as far as the engine relies on it, and the architecture looks at what the library does
 * (arch_plausible).
 */
#include "save.h"

#include "architecture.h"
#include "count.h"
#include "leave.h"
#include "modelled.h"
#include "modelling.h"
#include "ownership.h"
#include "taken.h"
#include "uart.h"

#define SAVE_VERSION 2

/* What a core must have been made with for the state of another to be its own. */
static PyObject *made_with(struct core *core) {
    return Py_BuildValue("[IKKKII]", core->index, (unsigned long long)core->hz, (unsigned long long)core->frequency,
                         (unsigned long long)core->ram_end, core->region_count, core->uart_count);
}

/* Tuples as lists. */
static PyObject *lists_of(PyObject *tuples) {
    PyObject *list = tuples ? PyList_New(0) : NULL;
    for (Py_ssize_t i = 0; list && i < PyList_GET_SIZE(tuples); i++) {
        PyObject *each = PySequence_List(PyList_GET_ITEM(tuples, i));
        if (!each || PyList_Append(list, each)) Py_CLEAR(list);
        Py_XDECREF(each);
    }
    Py_XDECREF(tuples);
    return list;
}

static PyObject *saved_uarts(struct core *core) {
    PyObject *list = PyList_New(0);
    for (unsigned i = 0; list && i < core->uart_count; i++) {
        const struct uart *uart = core->uarts[i];
        uint64_t position = uart->out_length ? uart->out_position : 0; /* that of what was taken, whenever that was */
        PyObject *output = Py_BuildValue("[Ky#]", (unsigned long long)position, uart->out, (Py_ssize_t)uart->out_length);
        if (!output || PyList_Append(list, output)) Py_CLEAR(list);
        Py_XDECREF(output);
    }
    return list;
}

/* Without what depends on the host alone: how often it had a reason to look, and which translations it made. */
static struct state kept_of(const struct core *core) {
    struct state state;
    memcpy(&state, &core->state, sizeof state); /* with what is between its fields */
    state.statistics[EXIT_BUDGET] = state.statistics[EXIT_KICKED] = 0;
    state.broadcasts = state.translated = state.invalidated = 0;
    return state;
}

static PyObject *kept_cpu(const struct core *core) {
    PyObject *cpu = PyBytes_FromStringAndSize((const char *)core->env, ENV_KEPT);
    if (cpu) arch_forget_host(PyBytes_AS_STRING(cpu));
    return cpu;
}

PyObject *core_save(PyObject *self, PyObject *unused) {
    (void)unused;
    struct core *core = (struct core *)self;
    if (running == core) return PyErr_Format(PyExc_RuntimeError, "a core is saved between two stays");
    const struct state state = kept_of(core);
    const void *records = core->records ? (const void *)core->records : "";
    return Py_BuildValue("{sisNsy#sNsNsNsNsy#sKsN}", "version", SAVE_VERSION, "made", made_with(core), "state", &state,
                         (Py_ssize_t)sizeof core->state, "cpu", kept_cpu(core), "uarts", saved_uarts(core),
                         "pieces", lists_of(taken_pieces(core)), "chunks", lists_of(taken_chunks(core)), "records", records,
                         (Py_ssize_t)(core->record_count * sizeof(struct record)), "began",
                         (unsigned long long)(core->record_count ? core->chunk_began - core->epoch : 0), "memory",
                         modelling_saved(core));
}

static int damaged(const char *what) {
    PyErr_Format(PyExc_ValueError, "the state of a core is damaged: %s", what);
    return -1;
}

static int other_version(PyObject *version, unsigned long mine) {
    PyErr_Format(PyExc_ValueError,
                 "the state of a core has version %R, and this baonet reads version %lu: load it with the baonet that saved "
                 "it, or run the machine again and save it anew",
                 version, mine);
    return -1;
}

struct saved {
    int version;
    PyObject *made, *uarts, *pieces, *chunks, *memory;
    Py_buffer state, cpu, records;
    unsigned long long began;
    struct parcels pieces_made, chunks_made; /* of `pieces` and `chunks` */
};

static bool flags_plausible(const struct state *state) {
    const bool *flags[] = {&state->waiting,    &state->outside,    &state->doorbell,        &state->storm,     &state->told,
                           &state->storm_seen, &state->storm_told, &state->interrupt_storm, &state->storm_of_interrupts};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (BYTE(*flags[i]) > 1) return false;
    return true;
}

static bool plausible(const struct state *state) {
    if (!flags_plausible(state) || state->rest > BLOCK_INSTRUCTIONS) return false;
    if (state->event_head - state->event_tail > EVENTS) return false;
    for (unsigned i = state->event_tail; i != state->event_head; i++)
        if (state->events[i % EVENTS].reason <= EXIT_KICKED || state->events[i % EVENTS].reason >= EXIT_ERROR) return false;
    return state->deferred >= EXIT_NONE && state->deferred < EXIT_ERROR;
}

/* For O&, where K would take any number modulo 2^64. */
static int number(PyObject *value, void *where) {
    if (!PyLong_CheckExact(value)) return PyErr_SetString(PyExc_TypeError, "not a number"), 0;
    unsigned long long found = PyLong_AsUnsignedLongLong(value);
    *(unsigned long long *)where = found;
    return !PyErr_Occurred();
}

/* A row of what is saved: two numbers and the bytes, which the row keeps. */
struct row {
    unsigned long long numbers[2];
    PyObject *bytes;
};

/* Console output that nobody has taken: of which UART, from which place, which bytes. */
static bool parse_piece(PyObject *piece, unsigned uarts, struct row *row) {
    return PyArg_ParseTuple(piece, "O&O&S", number, &row->numbers[0], number, &row->numbers[1], &row->bytes) &&
           row->numbers[0] < uarts;
}

/* Records: when the first and the last were made, in nanoseconds. */
static bool parse_chunk(PyObject *chunk, unsigned uarts, struct row *row) {
    (void)uarts;
    return PyArg_ParseTuple(chunk, "SO&O&", &row->bytes, number, &row->numbers[0], number, &row->numbers[1]) &&
           !(PyBytes_GET_SIZE(row->bytes) % (Py_ssize_t)sizeof(struct record));
}

static int make_all(struct parcels *made, PyObject *list, bool (*parse)(PyObject *, unsigned, struct row *), unsigned uarts,
                    const char *what) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        struct row row;
        PyObject *each = PyList_GET_ITEM(list, i), *tuple = PyList_Check(each) ? PyList_AsTuple(each) : NULL;
        bool right = tuple && parse(tuple, uarts, &row);
        int error = right ? parcels_add(made, row.numbers[0], row.numbers[1], PyBytes_AS_STRING(row.bytes),
                                        (size_t)PyBytes_GET_SIZE(row.bytes))
                          : 0;
        Py_XDECREF(tuple);
        if (!right) return PyErr_Clear(), damaged(what);
        if (error) return PyErr_NoMemory(), -1;
    }
    return 0;
}

static int check(struct core *core, struct saved *saved) {
    PyObject *mine = made_with(core);
    int same = mine ? PyObject_RichCompareBool(saved->made, mine, Py_EQ) : -1;
    if (same == 0)
        PyErr_Format(PyExc_ValueError,
                     "the state is of a core that was made in another way, with %R where this has %R (index, hz, frequency, "
                     "RAM, regions, UARTs): load it into the machine that it was saved from",
                     saved->made, mine);
    Py_XDECREF(mine);
    if (same != 1) return -1;
    const struct state *state = saved->state.buf;
    if (saved->state.len < (Py_ssize_t)sizeof state->version) return damaged("state is too short");
    if (state->version != STATE_VERSION) {
        PyObject *version = PyLong_FromUnsignedLong(state->version);
        if (version) other_version(version, STATE_VERSION);
        Py_XDECREF(version);
        return -1;
    }
    if (saved->state.len != sizeof *state || !plausible(state)) return damaged("state");
    if (saved->cpu.len != ENV_KEPT) return damaged("cpu");
    if (!arch_plausible(core, &state->arch, saved->cpu.buf)) return damaged("state or cpu");
    if (saved->records.len % (Py_ssize_t)sizeof(struct record) || saved->records.len >= (Py_ssize_t)(TRACE_RECORDS * sizeof(struct record)))
        return damaged("records");
    if (PyList_GET_SIZE(saved->uarts) != core->uart_count) return damaged("uarts");
    if (!modelling_plausible(core, saved->memory)) return damaged("memory, or it is of a core with another model of it");
    if (make_all(&saved->pieces_made, saved->pieces, parse_piece, core->uart_count, "pieces")) return -1;
    return make_all(&saved->chunks_made, saved->chunks, parse_chunk, core->uart_count, "chunks");
}

static int load_uarts(struct core *core, PyObject *uarts) {
    for (unsigned i = 0; i < core->uart_count; i++) {
        struct uart *uart = core->uarts[i];
        unsigned long long position;
        const char *output;
        Py_ssize_t length;
        PyObject *saved = PySequence_Tuple(PyList_GET_ITEM(uarts, i));
        bool parsed = saved && PyArg_ParseTuple(saved, "O&y#", number, &position, &output, &length);
        int error = parsed ? uart_restore(uart, position, output, (size_t)length) : -1;
        Py_XDECREF(saved);
        if (error) return PyErr_Clear(), damaged("uarts");
    }
    return 0;
}

static void exchange(struct parcels *one, struct parcels *other) {
    struct parcels kept = *one;
    *one = *other;
    *other = kept;
}

static int go_on(struct core *core, struct saved *saved) {
    if (load_uarts(core, saved->uarts)) return -1;
    exchange(&core->pieces, &saved->pieces_made);
    exchange(&core->chunks, &saved->chunks_made);
    memcpy(&core->state, saved->state.buf, sizeof core->state);
    memcpy(core->env, saved->cpu.buf, ENV_KEPT);
    core->record_count = 0;
    if (core->records && saved->records.len) {
        memcpy(core->records, saved->records.buf, (size_t)saved->records.len);
        core->record_count = (unsigned)((size_t)saved->records.len / sizeof(struct record));
        core->chunk_began = saved->began + core->epoch;
    }
    modelling_load(core, saved->memory);
    core->scratch = (struct scratch){.reason = EXIT_NONE};
    count_flush(core);
    unicorn.tlb_flush(core->cpu);
    ownership_forget(core);
    ownership_show(core);
    arch_renew(core);
    modelled_translate_anew(core);
    return 0;
}

/* The fields of a dictionary, as keywords. */
static int parse(PyObject *data, struct saved *saved) {
    static char *names[] = {"version", "made", "state", "cpu", "uarts", "pieces", "chunks", "records", "began", "memory", NULL};
    PyObject *version = PyDict_Check(data) ? PyDict_GetItemString(data, "version") : NULL;
    if (!version || !PyLong_CheckExact(version)) return damaged("it has no version");
    int overflow;
    if (PyLong_AsLongAndOverflow(version, &overflow) != SAVE_VERSION) return other_version(version, SAVE_VERSION);
    PyObject *nothing = PyTuple_New(0);
    int parsed = nothing && PyArg_ParseTupleAndKeywords(nothing, data, "$iO!y*y*O!O!O!y*O&O", names, &saved->version, &PyList_Type,
                                                        &saved->made, &saved->state, &saved->cpu, &PyList_Type, &saved->uarts,
                                                        &PyList_Type, &saved->pieces, &PyList_Type, &saved->chunks,
                                                        &saved->records, number, &saved->began, &saved->memory);
    Py_XDECREF(nothing);
    if (parsed || PyErr_ExceptionMatches(PyExc_MemoryError)) return parsed ? 0 : -1;
    PyErr_Clear();
    return damaged("its fields are not those of a core");
}

PyObject *core_load(PyObject *self, PyObject *data) {
    struct core *core = (struct core *)self;
    struct saved saved = {0};
    if (running == core) return PyErr_Format(PyExc_RuntimeError, "a core is loaded between two stays");
    int error = parse(data, &saved);
    if (error) return NULL; /* it has let go of the buffers */
    error = check(core, &saved) || go_on(core, &saved);
    PyBuffer_Release(&saved.state);
    PyBuffer_Release(&saved.cpu);
    PyBuffer_Release(&saved.records);
    parcels_clear(&saved.pieces_made);
    parcels_clear(&saved.chunks_made);
    if (error) return NULL;
    Py_RETURN_NONE;
}
