/* The Python type Pcpu; baonet/core/_memsys.pyi documents it. */
#include <stdlib.h>
#include <string.h>

#include "memsys_types.h"

#define WHOLE 30 /* log2 of what is translated at once where no function says so */

/* ---- Translation: by functions of Python's, or as if there were none ---- */

static bool take_addresses(PyObject *sequence, uint64_t addresses[], uint32_t *count) {
    Py_ssize_t size = PySequence_Size(sequence);
    if (size < 0) return false;
    if (size > (Py_ssize_t)MEMSYS_LEVELS) return PyErr_SetString(PyExc_ValueError, "too many levels"), false;
    for (*count = 0; *count < (uint32_t)size; ++*count) {
        PyObject *item = PySequence_GetItem(sequence, *count);
        if (!item) return false;
        addresses[*count] = PyLong_AsUnsignedLongLongMask(item);
        Py_DECREF(item);
        if (PyErr_Occurred()) return false;
    }
    return true;
}

static bool walk(void *of, uint64_t va, bool fetch, struct memsys_walk *found) {
    struct pcpu_object *object = of;
    if (object->walk == Py_None) {
        *found = (struct memsys_walk){.shift = MEMSYS_PAGE_SHIFT, .ipa = va, .global = true};
        return true;
    }
    if (PyErr_Occurred()) return false;
    PyObject *told = PyObject_CallFunction(object->walk, "KO", (unsigned long long)va, fetch ? Py_True : Py_False);
    PyObject *descriptors;
    unsigned long long ipa;
    int page, global;
    bool taken = told && told != Py_None && PyArg_ParseTuple(told, "OIKppbb", &descriptors, &found->shift, &ipa, &page, &global,
                                                             &found->memory, &found->code);
    taken = taken && take_addresses(descriptors, found->descriptors, &found->levels);
    if (taken) found->ipa = ipa, found->page = page, found->global = global;
    Py_XDECREF(told);
    return taken;
}

static bool stage2(void *of, uint64_t ipa, struct memsys_stage2 *found) {
    struct pcpu_object *object = of;
    if (object->stage2 == Py_None) {
        *found = (struct memsys_stage2){.pa = ipa, .shift = WHOLE, .shared = object->view.cluster};
        return true;
    }
    if (PyErr_Occurred()) return false;
    PyObject *told = PyObject_CallFunction(object->stage2, "K", (unsigned long long)ipa), *descriptors;
    unsigned long long pa;
    bool taken = told && told != Py_None && PyArg_ParseTuple(told, "OIKb", &descriptors, &found->shift, &pa, &found->memory);
    taken = taken && take_addresses(descriptors, found->descriptors, &found->levels);
    if (taken) found->pa = pa;
    Py_XDECREF(told);
    return taken;
}

static uint64_t now(void *of) { return ((struct pcpu_object *)of)->now; }

/* ---- The object ---- */

static void dealloc(PyObject *self) {
    struct pcpu_object *object = (struct pcpu_object *)self;
    free(object->memsys);
    free(object->l2);
    free(object->log);
    free(object->moves);
    Py_XDECREF(object->walk);
    Py_XDECREF(object->stage2);
    Py_XDECREF(object->cluster);
    Py_XDECREF(object->joined);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"parameters", "window", "walk", "stage2", NULL};
    PyObject *fields, *by_walk = Py_None, *by_stage2 = Py_None;
    unsigned long long window = 12000;
    struct memsys_parameters parameters;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!|KOO", names, &PyDict_Type, &fields, &window, &by_walk, &by_stage2) ||
        !memsys_take_checked(fields, &parameters))
        return NULL;
    struct pcpu_object *made = (struct pcpu_object *)type->tp_alloc(type, 0);
    if (!made) return NULL;
    made->parameters = parameters;
    made->walk = Py_NewRef(by_walk);
    made->stage2 = Py_NewRef(by_stage2);
    made->memsys = malloc(memsys_size(&parameters));
    made->l2 = aligned_alloc(64, memsys_l2_size(&parameters));
    made->log = malloc(memsys_log_size(window));
    made->moves = calloc(1, memsys_moves_size(window));
    made->window = window;
    if (!made->memsys || !made->l2 || !made->log || !made->moves) {
        Py_DECREF(made);
        return PyErr_NoMemory();
    }
    memsys_init(made->memsys, &parameters);
    memsys_l2_init(made->l2, &parameters);
    memsys_log_init(made->log, window);
    memsys_moves_init(made->moves, window);
    made->view = (struct memsys_view){.memsys = made->memsys, .l2 = made->l2, .log = made->log, .moves = made->moves, .of = made,
                                      .now = now, .walk = walk, .stage2 = stage2};
    return (PyObject *)made;
}

static struct pcpu_object *pcpu(PyObject *self) { return (struct pcpu_object *)self; }
static PyObject *stalled(unsigned cycles) { return PyErr_Occurred() ? NULL : PyLong_FromUnsignedLong(cycles); }

static PyObject *filtered(PyObject *self, PyObject *args) {
    unsigned long long va;
    unsigned size;
    int store;
    if (!PyArg_ParseTuple(args, "KIp", &va, &size, &store)) return NULL;
    return PyBool_FromLong(memsys_filtered(pcpu(self)->memsys, va, size, store));
}
static PyObject *load_or_store(PyObject *self, PyObject *args) {
    unsigned long long va;
    unsigned size;
    int store;
    if (!PyArg_ParseTuple(args, "KKIp", &pcpu(self)->now, &va, &size, &store)) return NULL;
    return stalled(store ? memsys_store(&pcpu(self)->view, va, size) : memsys_load(&pcpu(self)->view, va, size));
}
static PyObject *data(PyObject *self, PyObject *args) {
    unsigned long long now, va;
    unsigned size;
    int kind;
    if (!PyArg_ParseTuple(args, "KKIi", &now, &va, &size, &kind)) return NULL;
    return stalled(memsys_data(&pcpu(self)->view, now, va, size, (enum memsys_kind)kind));
}
static PyObject *fetch(PyObject *self, PyObject *args) {
    unsigned long long va;
    unsigned bytes;
    if (!PyArg_ParseTuple(args, "KKI", &pcpu(self)->now, &va, &bytes)) return NULL;
    return stalled(memsys_fetch(&pcpu(self)->view, va, bytes));
}
static PyObject *touch(PyObject *self, PyObject *args) {
    unsigned long long now, pa;
    int kind;
    if (!PyArg_ParseTuple(args, "KKi", &now, &pa, &kind)) return NULL;
    uint64_t address = pa;
    return stalled(memsys_touch(&pcpu(self)->view, now, &address, 1, (enum memsys_touch)kind));
}
static PyObject *context(PyObject *self, PyObject *args) {
    unsigned value;
    if (!PyArg_ParseTuple(args, "I", &value)) return NULL;
    memsys_set_context(pcpu(self)->memsys, value);
    Py_RETURN_NONE;
}
static PyObject *tlbi(PyObject *self, PyObject *args) {
    int kind;
    unsigned short asid;
    unsigned long long va;
    if (!PyArg_ParseTuple(args, "iHK", &kind, &asid, &va)) return NULL;
    memsys_tlbi(pcpu(self)->memsys, (enum memsys_tlbi)kind, asid, va);
    Py_RETURN_NONE;
}
static PyObject *maintain(PyObject *self, PyObject *args) {
    unsigned long long now, va;
    int what;
    if (!PyArg_ParseTuple(args, "KKi", &now, &va, &what)) return NULL;
    return stalled(memsys_maintain(&pcpu(self)->view, now, va, (enum memsys_maintenance)what));
}
static PyObject *maintain_way(PyObject *self, PyObject *args) {
    unsigned long long now;
    unsigned level, set, way;
    int what;
    if (!PyArg_ParseTuple(args, "KIIIi", &now, &level, &set, &way, &what)) return NULL;
    return stalled(memsys_maintain_way(&pcpu(self)->view, now, level, set, way, (enum memsys_maintenance)what));
}
static PyObject *forget(PyObject *self, PyObject *args) {
    unsigned long long now, pa, bytes;
    int what;
    if (!PyArg_ParseTuple(args, "KKKi", &now, &pa, &bytes, &what)) return NULL;
    memsys_forget(&pcpu(self)->view, now, pa, bytes, (enum memsys_maintenance)what);
    Py_RETURN_NONE;
}
static PyObject *reset(PyObject *self, PyObject *args) {
    unsigned long long now;
    if (!PyArg_ParseTuple(args, "K", &now)) return NULL;
    memsys_reset(&pcpu(self)->view, now);
    Py_RETURN_NONE;
}
static PyObject *begin(PyObject *self, PyObject *args) {
    unsigned long long now;
    if (!PyArg_ParseTuple(args, "K", &now)) return NULL;
    memsys_window_begin(pcpu(self)->memsys, pcpu(self)->log, now, &pcpu(self)->outcome);
    memsys_coherence_begin(&pcpu(self)->view, now);
    pcpu(self)->outcome = (struct memsys_outcome){0};
    Py_RETURN_NONE;
}
static PyObject *join(PyObject *self, PyObject *args) {
    PyObject *cluster;
    unsigned party;
    if (!PyArg_ParseTuple(args, "O!I", &cluster_type, &cluster, &party)) return NULL;
    if (party >= MEMSYS_PARTIES) return PyErr_Format(PyExc_ValueError, "party %u", party);
    Py_XSETREF(pcpu(self)->joined, Py_NewRef(cluster));
    pcpu(self)->view.cluster = ((struct cluster_object *)cluster)->cluster;
    pcpu(self)->view.party = party;
    Py_RETURN_NONE;
}
static PyObject *lose(PyObject *self, PyObject *args) {
    unsigned long long pa;
    if (!PyArg_ParseTuple(args, "K", &pa)) return NULL;
    memsys_lose(pcpu(self)->memsys, pa);
    Py_RETURN_NONE;
}
static PyObject *settle(PyObject *self, PyObject *none) {
    (void)none;
    const struct memsys_view *view = &pcpu(self)->view;
    if (view->cluster) memsys_coherence_settle(view->cluster, view->party, view->moves);
    Py_RETURN_NONE;
}
static PyObject *adopt(PyObject *self, PyObject *cluster) {
    if (!Py_IS_TYPE(cluster, &cluster_type)) return PyErr_Format(PyExc_TypeError, "no Cluster");
    memsys_adopt(pcpu(self)->l2, ((struct cluster_object *)cluster)->cluster);
    Py_RETURN_NONE;
}
static PyObject *share(PyObject *self, PyObject *cluster) {
    if (!Py_IS_TYPE(cluster, &cluster_type)) return PyErr_Format(PyExc_TypeError, "no Cluster");
    struct cluster_object *with = (struct cluster_object *)cluster;
    Py_XSETREF(pcpu(self)->cluster, Py_NewRef(cluster));
    pcpu(self)->view.l2 = memsys_cluster_l2(with->cluster);
    pcpu(self)->view.channel = &with->channel;
    pcpu(self)->view.log = NULL;
    Py_RETURN_NONE;
}
static PyObject *counters(PyObject *self, PyObject *args) {
    int hypervisor = 0;
    if (!PyArg_ParseTuple(args, "|p", &hypervisor)) return NULL;
    return counters_told(&pcpu(self)->memsys->counters[hypervisor]);
}
static PyObject *state(PyObject *self, PyObject *none) {
    (void)none;
    return PyBytes_FromStringAndSize((const char *)pcpu(self)->memsys, (Py_ssize_t)memsys_size(&pcpu(self)->parameters));
}
static PyObject *load_state(PyObject *self, PyObject *args) {
    Py_buffer bytes;
    if (!PyArg_ParseTuple(args, "y*", &bytes)) return NULL;
    bool fits = (size_t)bytes.len == memsys_size(&pcpu(self)->parameters);
    if (fits) memcpy(pcpu(self)->memsys, bytes.buf, (size_t)bytes.len);
    PyBuffer_Release(&bytes);
    if (!fits) return PyErr_Format(PyExc_ValueError, "a state of another size");
    Py_RETURN_NONE;
}
static PyObject *l2(PyObject *self, PyObject *none) {
    (void)none;
    const struct memsys_l2 *from = pcpu(self)->l2;
    return PyBytes_FromStringAndSize((const char *)from->tags, (Py_ssize_t)from->sets * (from->row + 1) * 4);
}
static PyObject *records(PyObject *self, PyObject *none) {
    (void)none;
    const struct memsys_log *log = pcpu(self)->log;
    PyObject *told = PyList_New(log->count);
    for (uint32_t i = 0; told && i < log->count; i++) {
        struct record r = record_unpack(log->records[i]);
        PyObject *one = Py_BuildValue("(KKiiii)", (unsigned long long)r.line, (unsigned long long)(log->begin + r.time),
                                      (int)r.request, (int)r.hit, (int)r.writeback, (int)r.hypervisor);
        if (!one) Py_CLEAR(told);
        else PyList_SET_ITEM(told, i, one);
    }
    return told;
}
static PyMethodDef methods[] = {
    {"filtered", filtered, METH_VARARGS, NULL},
    {"access", load_or_store, METH_VARARGS, NULL},
    {"data", data, METH_VARARGS, NULL},
    {"fetch", fetch, METH_VARARGS, NULL},
    {"touch", touch, METH_VARARGS, NULL},
    {"context", context, METH_VARARGS, NULL},
    {"tlbi", tlbi, METH_VARARGS, NULL},
    {"maintain", maintain, METH_VARARGS, NULL},
    {"maintain_way", maintain_way, METH_VARARGS, NULL},
    {"forget", forget, METH_VARARGS, NULL},
    {"reset", reset, METH_VARARGS, NULL},
    {"begin", begin, METH_VARARGS, NULL},
    {"join", join, METH_VARARGS, NULL},
    {"lose", lose, METH_VARARGS, NULL},
    {"settle", settle, METH_NOARGS, NULL},
    {"adopt", adopt, METH_O, NULL},
    {"share", share, METH_O, NULL},
    {"counters", counters, METH_VARARGS, NULL},
    {"state", state, METH_NOARGS, NULL},
    {"load_state", load_state, METH_VARARGS, NULL},
    {"l2", l2, METH_NOARGS, NULL},
    {"records", records, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
PyTypeObject pcpu_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "baonet.core._memsys.Pcpu",
    .tp_basicsize = sizeof(struct pcpu_object),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = new,
    .tp_dealloc = dealloc,
    .tp_methods = methods,
};
