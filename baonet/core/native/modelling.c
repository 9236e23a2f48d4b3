/*
 * Making a model: its parameters, where physical memory is, what the hypervisor touches. The model's state is the cluster's, in
 * memory that is shared, if the core has been joined to one; else it is the core's own, and is kept with it.
 */
#include "modelling.h"

#include "architecture.h"
#include "clock.h"
#include "count.h"
#include "modelled.h"

#define MODEL_VERSION 4
#define MOST_PACE 1000

static size_t aligned(size_t size) { return (size + 63) & ~(size_t)63; }

/* State of the core's own, and no log: nobody else is to know. */
static int make_own(struct core *core, PyObject *named) {
    struct memsys_parameters parameters;
    if (!memsys_take_checked(named, &parameters)) return -1;
    size_t memsys = aligned(memsys_size(&parameters)), l2 = memsys_l2_size(&parameters);
    uint8_t *own = PyMem_Calloc(1, memsys + l2);
    if (!own) return PyErr_NoMemory(), -1;
    core->model->own = own;
    core->model->own_size = memsys + l2;
    core->view.memsys = (struct memsys *)own;
    core->view.l2 = (struct memsys_l2 *)(own + memsys);
    memsys_init(core->view.memsys, &parameters);
    memsys_l2_init(core->view.l2, &parameters);
    return 0;
}

static bool walk_stage1(void *of, uint64_t va, bool fetch, struct memsys_walk *walk) {
    (void)fetch;
    return arch_stage1(of, va, walk);
}

static bool walk_stage2(void *of, uint64_t ipa, struct memsys_stage2 *found) {
    struct core *core = of;
    return physical_find(core, &core->model->physical, ipa, found);
}

static uint64_t now(void *of) { return clock_now(of); }

PyObject *core_model_memory(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    unsigned cycles, instructions;
    PyObject *named = NULL;
    if (!PyArg_ParseTuple(args, "II|O!", &cycles, &instructions, &PyDict_Type, &named)) return NULL;
    if (!cycles || cycles > MOST_PACE || !instructions || instructions > MOST_PACE)
        return PyErr_Format(PyExc_ValueError, "cycles and instructions are from 1 to %d", MOST_PACE);
    if (!core->hz || core->model || core_retired(core)) {
        PyErr_SetString(PyExc_RuntimeError, "the memory of a core in virtual time is modelled, from before it runs, once");
        return NULL;
    }
    if (!named == !core->view.memsys) {
        PyErr_SetString(PyExc_RuntimeError, "a model has parameters of its own, or those of the cluster that its core has joined");
        return NULL;
    }
    core->model = PyMem_Calloc(1, sizeof *core->model);
    if (!core->model) return PyErr_NoMemory();
    core->model->core = core;
    if ((named && make_own(core, named)) || arch_observe(core)) {
        modelling_clear(core);
        return NULL;
    }
    core->model->memsys = core->view.memsys;
    core->view.of = core;
    core->view.now = now;
    core->view.walk = walk_stage1;
    core->view.stage2 = walk_stage2;
    core->pace = clock_pace(cycles, instructions);
    if (core->state.translated) count_flush(core); /* what there is says nothing */
    modelled_translate_anew(core);
    Py_RETURN_NONE;
}

/* A copy of a buffer of double words; NULL with a Python error, or where there are none. */
static uint64_t *words_of(const Py_buffer *buffer, size_t each, size_t *count) {
    *count = (size_t)buffer->len / each;
    if ((size_t)buffer->len % each) {
        PyErr_Format(PyExc_ValueError, "%zd bytes are not items of %zu", buffer->len, each);
        return NULL;
    }
    uint64_t *words = PyMem_Malloc(buffer->len ? (size_t)buffer->len : 1);
    if (words) memcpy(words, buffer->buf, (size_t)buffer->len);
    else PyErr_NoMemory();
    return words;
}

static struct modelled *model_of(PyObject *self) {
    struct modelled *model = ((struct core *)self)->model;
    if (!model) PyErr_SetString(PyExc_RuntimeError, "the memory of this core is not modelled");
    return model;
}

PyObject *core_map_physical(PyObject *self, PyObject *args) {
    struct modelled *model = model_of(self);
    Py_buffer pages, tables;
    if (!model || !PyArg_ParseTuple(args, "y*y*", &pages, &tables)) return NULL;
    struct physical found = {0};
    found.pages = words_of(&pages, sizeof *found.pages, &found.page_count);
    if (found.pages) found.tables = (struct table *)words_of(&tables, sizeof *found.tables, &found.table_count);
    PyBuffer_Release(&pages);
    PyBuffer_Release(&tables);
    if (!found.tables) {
        PyMem_Free(found.pages);
        return NULL;
    }
    PyMem_Free(model->physical.pages);
    PyMem_Free(model->physical.tables);
    model->physical = found;
    Py_RETURN_NONE;
}

static void forget(struct footprint *footprint) {
    for (unsigned i = MEMSYS_TOUCH_LOAD; i <= MEMSYS_TOUCH_FETCH; i++) PyMem_Free(footprint->touched[i].lines);
    *footprint = (struct footprint){0};
}

PyObject *core_touches(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"kind", "instructions", "loads", "stores", "text", "cycles", NULL};
    struct modelled *model = model_of(self);
    unsigned kind;
    struct footprint made = {.known = true};
    Py_buffer lines[MEMSYS_TOUCH_FETCH + 1];
    if (!model || !PyArg_ParseTupleAndKeywords(args, keywords, "IIy*y*y*|I", names, &kind, &made.instructions, &lines[0], &lines[1],
                                               &lines[2], &made.cycles))
        return NULL;
    bool right = kind < COSTS;
    if (!right) PyErr_Format(PyExc_ValueError, "there is no exit %u", kind);
    for (unsigned i = MEMSYS_TOUCH_LOAD; i <= MEMSYS_TOUCH_FETCH; i++) {
        size_t count = 0;
        if (right) right = (made.touched[i].lines = words_of(&lines[i], sizeof(uint64_t), &count));
        made.touched[i].count = (unsigned)count;
        PyBuffer_Release(&lines[i]);
    }
    forget(right ? &model->footprints[kind] : &made);
    if (!right) return NULL;
    model->footprints[kind] = made;
    Py_RETURN_NONE;
}

PyObject *core_begin_window(PyObject *self, PyObject *window) {
    uint64_t number = PyLong_AsUnsignedLongLong(window);
    if (PyErr_Occurred() || !model_of(self)) return NULL;
    modelled_begun((struct core *)self, number);
    Py_RETURN_NONE;
}

/* What an exit costs, where there is none. */
PyObject *core_pay(PyObject *self, PyObject *number) {
    struct core *core = (struct core *)self;
    unsigned long kind = PyLong_AsUnsignedLong(number);
    if (PyErr_Occurred()) return NULL;
    if (kind >= COSTS) return PyErr_Format(PyExc_ValueError, "there is no exit %lu", kind);
    modelled_enter(core);
    clock_skip(core, modelled_cost(core, (unsigned)kind));
    Py_RETURN_NONE;
}

void modelling_clear(struct core *core) {
    struct modelled *model = core->model;
    if (!model) return;
    PyMem_Free(model->physical.pages);
    PyMem_Free(model->physical.tables);
    for (unsigned i = 0; i < COSTS; i++) forget(&model->footprints[i]);
    if (model->own) core->view = (struct memsys_view){0};
    PyMem_Free(model->own);
    PyMem_Free(model);
    core->model = NULL;
}

/* What others of the VM have asked of it, and it has not done; and struct modelled's. */
struct asked {
    struct requests before, now;
    uint64_t window, mine;
    struct again again;
};

PyObject *modelling_saved(struct core *core) {
    struct modelled *model = core->model;
    if (!model) Py_RETURN_NONE;
    struct asked asked;
    memset(&asked, 0, sizeof asked);
    asked = (struct asked){core->slot->asked_before, core->slot->asked_now, core->slot->window, model->window, model->again};
    return Py_BuildValue("[iy#y#]", MODEL_VERSION, &asked, (Py_ssize_t)sizeof asked, model->own ? model->own : "",
                         (Py_ssize_t)model->own_size);
}

/* Of a model of the core's own; where it is the cluster's, what is in that memory by now. */
static bool own_plausible(const struct core *core, const void *own, Py_ssize_t size) {
    const struct modelled *model = core->model;
    const struct memsys_parameters *parameters = &model->memsys->parameters;
    if (size != (Py_ssize_t)model->own_size) return false;
    if (!size) return !core->weave || memsys_weave_plausible(core->weave);
    const uint8_t *l2 = (const uint8_t *)own + ((uint8_t *)core->view.l2 - (uint8_t *)model->own);
    return memsys_plausible(own, parameters) && memsys_l2_plausible((const struct memsys_l2 *)l2, parameters);
}

static bool parse(PyObject *saved, const struct asked **asked, const void **own, Py_ssize_t *size) {
    int version;
    Py_ssize_t asked_size;
    PyObject *tuple = PyList_Check(saved) ? PyList_AsTuple(saved) : NULL;
    bool parsed = tuple && PyArg_ParseTuple(tuple, "iy#y#", &version, asked, &asked_size, own, size);
    Py_XDECREF(tuple); /* the list has what they point into */
    PyErr_Clear();
    return parsed && version == MODEL_VERSION && asked_size == sizeof(struct asked);
}

bool modelling_plausible(struct core *core, PyObject *saved) {
    const struct asked *asked;
    const void *own;
    Py_ssize_t size;
    if (!core->model) return saved == Py_None;
    return parse(saved, &asked, &own, &size) && asked->before.count <= PENDING_REQUESTS && asked->now.count <= PENDING_REQUESTS &&
           own_plausible(core, own, size);
}

void modelling_load(struct core *core, PyObject *saved) {
    struct modelled *model = core->model;
    const struct asked *asked;
    const void *own;
    Py_ssize_t size;
    if (!model || !parse(saved, &asked, &own, &size)) return;
    core->slot->asked_before = asked->before;
    core->slot->asked_now = asked->now;
    core->slot->window = asked->window;
    model->window = asked->mine;
    model->again = asked->again;
    if (size) memcpy(model->own, own, (size_t)size);
}
