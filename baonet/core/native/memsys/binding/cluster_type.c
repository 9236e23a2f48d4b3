/* The Python type Cluster; baonet/core/_memsys.pyi documents it. */
#include <stdlib.h>

#include "cluster_state.h"
#include "memsys_types.h"

static bool take_extents(PyObject *sequence, struct memsys_extent extents[], unsigned *count) {
    Py_ssize_t size = PySequence_Size(sequence);
    if (size < 0) return false;
    if (size > (Py_ssize_t)MEMSYS_EXTENTS) return PyErr_SetString(PyExc_ValueError, "too many extents"), false;
    for (*count = 0; *count < (unsigned)size; ++*count) {
        PyObject *item = PySequence_GetItem(sequence, *count);
        unsigned long long base, bytes;
        bool taken = item && PyArg_ParseTuple(item, "KK", &base, &bytes);
        Py_XDECREF(item);
        if (!taken) return false;
        extents[*count] = (struct memsys_extent){base, bytes};
    }
    return true;
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    PyObject *fields, *sequence;
    struct memsys_parameters parameters;
    struct memsys_extent extents[MEMSYS_EXTENTS];
    unsigned count;
    if ((keywords && PyDict_GET_SIZE(keywords)) || !PyArg_ParseTuple(args, "O!O", &PyDict_Type, &fields, &sequence)) return NULL;
    if (!memsys_take_checked(fields, &parameters) || !take_extents(sequence, extents, &count)) return NULL;
    struct cluster_object *made = (struct cluster_object *)type->tp_alloc(type, 0);
    if (!made) return NULL;
    made->parameters = parameters;
    made->extents = count;
    made->cluster = calloc(1, memsys_cluster_size(&parameters, extents, count));
    if (!made->cluster) {
        Py_DECREF(made);
        return PyErr_NoMemory();
    }
    memsys_cluster_init(made->cluster, &parameters, extents, count);
    return (PyObject *)made;
}

static void dealloc(PyObject *self) {
    struct cluster_object *object = (struct cluster_object *)self;
    for (unsigned i = 0; i < MEMSYS_PARTIES; i++) free(object->elsewhere[i]);
    free(object->cluster);
    Py_TYPE(self)->tp_free(self);
}

/* Of one that is another cluster's party, which is a node's that has it, the log alone, and what of its moves is repeated here. */
static struct memsys_entry entry_of(const struct cluster_object *object, const struct pcpu_object *pcpu, unsigned owner) {
    if (pcpu->joined && pcpu->joined != (const PyObject *)object)
        return (struct memsys_entry){.log = pcpu->log, .moves = object->elsewhere[pcpu->view.party], .owner = owner};
    return (struct memsys_entry){.log = pcpu->log, .moves = pcpu->moves, .owner = owner, .memsys = pcpu->memsys, .replica = pcpu->l2};
}

static PyObject *merge(PyObject *self, PyObject *args) {
    struct cluster_object *object = (struct cluster_object *)self;
    PyObject *pcpus, *owners_told;
    unsigned long long length;
    struct memsys_entry entries[MEMSYS_PARTIES];
    struct memsys_outcome outcomes[MEMSYS_PARTIES];
    if (!PyArg_ParseTuple(args, "O!O!K", &PyList_Type, &pcpus, &PyList_Type, &owners_told, &length)) return NULL;
    Py_ssize_t count = PyList_GET_SIZE(pcpus);
    if (count > (Py_ssize_t)MEMSYS_PARTIES || PyList_GET_SIZE(owners_told) != count)
        return PyErr_Format(PyExc_ValueError, "too many parties, or not an owner for each");
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *pcpu = PyList_GET_ITEM(pcpus, i);
        unsigned owner = (unsigned)PyLong_AsUnsignedLong(PyList_GET_ITEM(owners_told, i));
        if (PyErr_Occurred()) return NULL;
        if (pcpu != Py_None && !Py_IS_TYPE(pcpu, &pcpu_type)) return PyErr_Format(PyExc_TypeError, "no Pcpu");
        if (owner >= MEMSYS_VMS) return PyErr_Format(PyExc_ValueError, "owner %u", owner);
        entries[i] = (struct memsys_entry){.owner = owner};
        if (pcpu != Py_None) entries[i] = entry_of(object, (struct pcpu_object *)pcpu, owner);
    }
    memsys_merge(object->cluster, entries, (unsigned)count, length, outcomes);
    PyObject *told = PyList_New(count);
    for (Py_ssize_t i = 0; told && i < count; i++) {
        PyObject *pcpu = PyList_GET_ITEM(pcpus, i);
        if (pcpu != Py_None) ((struct pcpu_object *)pcpu)->outcome = outcomes[i];
        PyObject *one = Py_BuildValue("(KILLI)", (unsigned long long)outcomes[i].charge, outcomes[i].wait,
                                      (long long)outcomes[i].l2_misses, (long long)outcomes[i].hypervisor_l2_misses,
                                      outcomes[i].of_hypervisor);
        if (!one) Py_CLEAR(told);
        else PyList_SET_ITEM(told, i, one);
    }
    return told;
}

static PyObject *counters(PyObject *self, PyObject *none) {
    (void)none;
    struct memsys_cluster_counters *from = memsys_cluster_counters(((struct cluster_object *)self)->cluster);
    PyObject *owners = PyList_New(MEMSYS_OWNERS), *missed = PyList_New(MEMSYS_OWNERS);
    for (unsigned i = 0; owners && missed && i < MEMSYS_OWNERS; i++) {
        PyObject *owner = owner_counters_told(&from->owner[i]), *row = PyList_New(MEMSYS_OWNERS + 1);
        for (unsigned j = 0; row && j <= MEMSYS_OWNERS; j++)
            PyList_SET_ITEM(row, j, PyLong_FromUnsignedLongLong(from->missed[i][j]));
        if (owner) PyList_SET_ITEM(owners, i, owner);
        if (row) PyList_SET_ITEM(missed, i, row);
        if (!owner || !row) Py_CLEAR(owners);
    }
    if (!owners || !missed) {
        Py_XDECREF(owners);
        Py_XDECREF(missed);
        return NULL;
    }
    return Py_BuildValue("{s:N,s:N,s:K,s:K,s:K}", "owners", owners, "missed", missed, "windows",
                         (unsigned long long)from->windows, "records", (unsigned long long)from->records, "busy",
                         (unsigned long long)from->busy);
}

static PyObject *state(PyObject *self, PyObject *none) {
    (void)none;
    const struct memsys_cluster *cluster = ((struct cluster_object *)self)->cluster;
    return PyBytes_FromStringAndSize((const char *)cluster, sizeof *cluster);
}

static PyObject *l2(PyObject *self, PyObject *none) {
    (void)none;
    struct cluster_object *object = (struct cluster_object *)self;
    const struct memsys_l2 *from = memsys_cluster_l2(object->cluster);
    return PyBytes_FromStringAndSize((const char *)from->tags, (Py_ssize_t)from->sets * (from->row + 1) * 4);
}

static PyObject *pages(PyObject *self, PyObject *args) {
    struct cluster_object *object = (struct cluster_object *)self;
    unsigned extent, first, count;
    if (!PyArg_ParseTuple(args, "III", &extent, &first, &count)) return NULL;
    if (extent >= object->extents) return PyErr_Format(PyExc_IndexError, "no extent %u", extent);
    const uint32_t *from = memsys_cluster_pages(object->cluster, extent) + first;
    PyObject *told = PyList_New(count);
    for (unsigned i = 0; told && i < count; i++) PyList_SET_ITEM(told, i, PyLong_FromUnsignedLong(from[i]));
    return told;
}

static PyObject *repeat(PyObject *self, PyObject *args) {
    struct cluster_object *object = (struct cluster_object *)self;
    struct pcpu_object *pcpu;
    unsigned long long first;
    if (!PyArg_ParseTuple(args, "O!K", &pcpu_type, &pcpu, &first)) return NULL;
    const struct memsys_moves *moves = pcpu->moves;
    struct memsys_moves **mine = &object->elsewhere[pcpu->view.party];
    uint64_t settled = atomic_load(&moves->settled), written = atomic_load(&moves->written);
    if (first < settled || first > written) return PyErr_Format(PyExc_IndexError, "move %llu is not there", first);
    if (!*mine && (*mine = calloc(1, memsys_moves_size(pcpu->window)))) memsys_moves_init(*mine, pcpu->window);
    if (!*mine) return PyErr_NoMemory();
    const uint64_t *these = moves->moves + (first - settled);
    if (!memsys_coherence_repeat(object->cluster, pcpu->view.party, *mine, first, these, (uint32_t)(written - first)))
        return PyErr_Format(PyExc_ValueError, "moves before number %llu are missing", first);
    return PyLong_FromUnsignedLongLong(written);
}

/* Of this cluster's parties, which are all that are given; or of one of whose pcpus the moves are repeated here. */
static PyObject *hear(PyObject *self, PyObject *pcpus) {
    struct cluster_object *object = (struct cluster_object *)self;
    struct memsys *memsys[MEMSYS_PARTIES] = {NULL};
    const struct memsys_moves *moves[MEMSYS_PARTIES];
    Py_ssize_t count = PyList_Check(pcpus) ? PyList_GET_SIZE(pcpus) : -1;
    if (count < 0 || count > (Py_ssize_t)MEMSYS_PARTIES) return PyErr_Format(PyExc_ValueError, "no list, or too many parties");
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *pcpu = PyList_GET_ITEM(pcpus, i);
        if (!Py_IS_TYPE(pcpu, &pcpu_type)) return PyErr_Format(PyExc_TypeError, "no Pcpu");
        bool here = ((struct pcpu_object *)pcpu)->joined == self;
        if (here) memsys[i] = ((struct pcpu_object *)pcpu)->memsys;
        moves[i] = here ? ((struct pcpu_object *)pcpu)->moves : object->elsewhere[i];
        if (!moves[i]) return PyErr_Format(PyExc_ValueError, "nothing of party %zd is here", i);
    }
    memsys_coherence_hear(object->cluster, memsys, moves, (unsigned)count);
    Py_RETURN_NONE;
}

static PyObject *settle(PyObject *self, PyObject *none) {
    (void)none;
    struct cluster_object *object = (struct cluster_object *)self;
    for (unsigned i = 0; i < MEMSYS_PARTIES; i++)
        if (object->elsewhere[i]) memsys_coherence_settle(object->cluster, i, object->elsewhere[i]);
    Py_RETURN_NONE;
}

static PyObject *words(PyObject *self, PyObject *args) {
    struct cluster_object *object = (struct cluster_object *)self;
    unsigned long long line;
    unsigned count;
    if (!PyArg_ParseTuple(args, "KI", &line, &count)) return NULL;
    PyObject *told = PyList_New(count);
    for (unsigned i = 0; told && i < count; i++) {
        const memsys_word *word = memsys_cluster_word(object->cluster, line + i);
        PyList_SET_ITEM(told, i, PyLong_FromUnsignedLongLong(word ? atomic_load(word) : 0));
    }
    return told;
}

static PyMethodDef methods[] = {
    {"merge", merge, METH_VARARGS, NULL},
    {"repeat", repeat, METH_VARARGS, NULL},
    {"hear", hear, METH_O, NULL},
    {"settle", settle, METH_NOARGS, NULL},
    {"words", words, METH_VARARGS, NULL},
    {"counters", counters, METH_NOARGS, NULL},
    {"state", state, METH_NOARGS, NULL},
    {"l2", l2, METH_NOARGS, NULL},
    {"pages", pages, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
PyTypeObject cluster_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "baonet.core._memsys.Cluster",
    .tp_basicsize = sizeof(struct cluster_object),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = new,
    .tp_dealloc = dealloc,
    .tp_methods = methods,
};
