/* The Python type Rings; baonet/core/_node.pyi documents it. */
#include "rings.h"

#include <stdbool.h>

#include "bell.h"
#include "ledger.h"
#include "ring.h"
#include "ringside.h"

struct end {
    struct ring *in, *out;
    uint64_t tail, head;
    bool far; /* the node's courier has the other ends */
};
struct rings {
    PyObject_HEAD;
    PyObject *kept; /* views of all memory that is pointed to */
    struct slot *slots;
    const unsigned char *lost;
    struct ledger *ledger; /* of its island, if that is on several nodes */
    unsigned index, pcpus;
    struct end *ends; /* by pcpu */
    struct sleeper sleeper;
    struct ringside ringside;
};

/* `size` bytes of a buffer from `at` on, which `kept` keeps; NULL and an exception when it has not so many. */
static void *memory(PyObject *kept, PyObject *buffer, Py_ssize_t at, Py_ssize_t size, bool writable) {
    PyObject *view = PyMemoryView_FromObject(buffer);
    if (!view) return NULL;
    Py_buffer *found = PyMemoryView_GET_BUFFER(view);
    void *start = NULL;
    if (writable && found->readonly)
        PyErr_SetString(PyExc_TypeError, "a ring or a slot must be writable");
    else if (at < 0 || at > found->len - size)
        PyErr_Format(PyExc_IndexError, "no %zd bytes at %zd of %zd", size, at, found->len);
    else if (!PyList_Append(kept, view))
        start = (char *)found->buf + at;
    Py_DECREF(view);
    return start;
}

static int rings_init(PyObject *object, PyObject *args, PyObject *names) {
    struct rings *self = (struct rings *)object;
    PyObject *slots, *lost, *ledger = NULL;
    Py_ssize_t pcpus;
    (void)names;
    if (self->kept) return PyErr_SetString(PyExc_RuntimeError, "Rings are made once"), -1;
    if (!PyArg_ParseTuple(args, "OIO|O", &slots, &self->index, &lost, &ledger) || (pcpus = PyObject_Size(lost)) < 0) return -1;
    if (pcpus > MAX_PCPUS || self->index >= (size_t)pcpus) {
        PyErr_Format(PyExc_IndexError, "pcpu %u of %zd: there can be %d", self->index, pcpus, MAX_PCPUS);
        return -1;
    }
    self->pcpus = (unsigned)pcpus;
    self->ends = PyMem_Calloc((size_t)pcpus, sizeof *self->ends);
    self->kept = PyList_New(0);
    if (!self->ends || !self->kept) return -1;
    self->slots = memory(self->kept, slots, 0, pcpus * (Py_ssize_t)sizeof(struct slot), true);
    self->lost = self->slots ? memory(self->kept, lost, 0, pcpus, false) : NULL;
    bool has_ledger = self->lost && ledger && ledger != Py_None;
    self->ledger = has_ledger ? memory(self->kept, ledger, 0, sizeof(struct ledger), true) : NULL;
    return self->lost && (self->ledger || !has_ledger) ? 0 : -1;
}

static void rings_dealloc(PyObject *object) {
    struct rings *self = (struct rings *)object;
    PyMem_Free(self->ends);
    Py_XDECREF(self->kept);
    Py_TYPE(object)->tp_free(object);
}

static PyObject *join(PyObject *object, PyObject *args) {
    struct rings *self = (struct rings *)object;
    PyObject *in, *out;
    Py_ssize_t in_at, out_at;
    unsigned peer;
    int far = 0;
    if (!PyArg_ParseTuple(args, "IOnOn|p", &peer, &in, &in_at, &out, &out_at, &far)) return NULL;
    if (peer >= self->pcpus) return PyErr_Format(PyExc_IndexError, "no pcpu %u", peer);
    if (far && !self->ledger) return PyErr_Format(PyExc_ValueError, "pcpu %u is on another node, and there is no ledger", peer);
    struct ring *from = memory(self->kept, in, in_at, RING_SIZE, true);
    struct ring *to = from ? memory(self->kept, out, out_at, RING_SIZE, true) : NULL;
    if (!to) return NULL;
    self->ends[peer] = (struct end){.in = from, .out = to, .far = far};
    Py_RETURN_NONE;
}

static struct end *end_to(struct rings *self, unsigned long peer) {
    if (peer < self->pcpus && self->ends[peer].in) return &self->ends[peer];
    if (!PyErr_Occurred()) PyErr_Format(PyExc_IndexError, "no ring to pcpu %lu", peer);
    return NULL;
}

/* Something is in the ring to a peer. The courier looks at the news of who is far after the call that told of them. */
static void announce(struct rings *self, const struct end *end, unsigned peer) {
    uint64_t mine = UINT64_C(1) << self->index % 64;
    if (!end->far)
        bell_announce(&self->slots[peer], self->index);
    else if (!(atomic_fetch_or(&self->slots[peer].news[self->index / 64], mine) & mine))
        ledger_call(self->ledger, peer);
}

static void call_peer(struct rings *self, const struct end *end, unsigned peer) {
    if (end->far)
        ledger_call(self->ledger, peer);
    else
        bell_call(&self->slots[peer]);
}

static PyObject *put(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    struct rings *self = (struct rings *)object;
    if (count != 2) return PyErr_Format(PyExc_TypeError, "put takes a pcpu and bytes");
    unsigned long peer = PyLong_AsUnsignedLong(args[0]);
    struct end *end = end_to(self, peer);
    Py_buffer bytes;
    if (!end || PyObject_GetBuffer(args[1], &bytes, PyBUF_SIMPLE)) return NULL;
    ptrdiff_t done = ring_put(end->out, &end->head, bytes.buf, (size_t)bytes.len);
    PyBuffer_Release(&bytes);
    if (done > 0) announce(self, end, (unsigned)peer);
    return PyLong_FromSsize_t(done);
}

static PyObject *news(PyObject *object, PyObject *none) {
    struct rings *self = (struct rings *)object;
    struct slot *slot = &self->slots[self->index];
    (void)none;
    PyObject *found = PyList_New(0);
    for (unsigned word = 0; found && word * 64 < self->pcpus; word++) {
        uint64_t bits = atomic_load(&slot->news[word]) ? atomic_exchange(&slot->news[word], 0) : 0;
        for (; found && bits; bits &= bits - 1) {
            unsigned peer = word * 64 + (unsigned)__builtin_ctzll(bits);
            if (peer >= self->pcpus || !self->ends[peer].in) continue; /* whoever set that has no ring to here */
            PyObject *number = PyLong_FromUnsignedLong(peer);
            if (!number || PyList_Append(found, number)) Py_CLEAR(found);
            Py_XDECREF(number);
        }
    }
    return found;
}

static PyObject *get(PyObject *object, PyObject *peer) {
    struct rings *self = (struct rings *)object;
    unsigned long source = PyLong_AsUnsignedLong(peer);
    struct end *end = end_to(self, source);
    if (!end) return NULL;
    bool ended = atomic_load(&end->in->ended); /* before: what it put in came earlier */
    ptrdiff_t filled = ring_filled(end->in, end->tail);
    if (filled < 0) return PyErr_Format(PyExc_ValueError, "the ring of pcpu %lu has a count that cannot be", source);
    if (!filled && ended) Py_RETURN_NONE;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, filled);
    if (bytes && filled && ring_get(end->in, &end->tail, PyBytes_AS_STRING(bytes), (size_t)filled))
        call_peer(self, end, (unsigned)source);
    if (filled && ended) atomic_fetch_or(&self->slots[self->index].news[source / 64], UINT64_C(1) << source % 64);
    return bytes;
}

static bool is_lost(struct rings *self, unsigned peer) {
    return atomic_load((const _Atomic unsigned char *)&self->lost[peer]);
}

static PyObject *end(PyObject *object, PyObject *peer) {
    struct rings *self = (struct rings *)object;
    unsigned long other = PyLong_AsUnsignedLong(peer);
    struct end *end = end_to(self, other);
    if (!end) return NULL;
    if (!is_lost(self, (unsigned)other)) {
        atomic_store(&end->in->closed, 1);
        atomic_store(&end->out->ended, 1);
        announce(self, end, (unsigned)other);
        call_peer(self, end, (unsigned)other);
    }
    end->in = end->out = NULL;
    Py_RETURN_NONE;
}

static PyObject *lost(PyObject *object, PyObject *none) {
    struct rings *self = (struct rings *)object;
    (void)none;
    PyObject *found = PyList_New(0);
    for (unsigned peer = 0; found && peer < self->pcpus; peer++) {
        if (!self->ends[peer].in || !is_lost(self, peer)) continue;
        PyObject *number = PyLong_FromUnsignedLong(peer);
        if (!number || PyList_Append(found, number)) Py_CLEAR(found);
        Py_XDECREF(number);
    }
    return found;
}

static PyObject *called(PyObject *object, PyObject *none) {
    struct rings *self = (struct rings *)object;
    (void)none;
    return PyBool_FromLong(bell_answer(&self->slots[self->index]));
}

static PyObject *sleep_until_rung(PyObject *object, PyObject *seconds) {
    struct rings *self = (struct rings *)object;
    double limit = PyFloat_AsDouble(seconds);
    if (limit == -1 && PyErr_Occurred()) return NULL;
    if (!(limit >= 0 && limit <= 1e9)) return PyErr_Format(PyExc_ValueError, "seconds must be from 0 to 1e9");
    bool rung;
    Py_BEGIN_ALLOW_THREADS;
    rung = bell_sleep(&self->sleeper, &self->slots[self->index], self->pcpus, (uint64_t)(limit * 1e9));
    Py_END_ALLOW_THREADS;
    if (PyErr_CheckSignals()) return NULL;
    return PyBool_FromLong(rung);
}

/* For a core: the same without Python. */

static bool side_called(void *rings) {
    const struct rings *self = rings;
    return atomic_load(&self->slots[self->index].bell) & BELL_CALLED;
}

/* News of a peer has been looked at: it is news again if something is left of it, or has come meanwhile. */
static void side_settle(struct rings *self, unsigned peer) {
    struct slot *slot = &self->slots[self->index];
    uint64_t bit = UINT64_C(1) << peer % 64;
    atomic_fetch_and(&slot->news[peer / 64], ~bit);
    if (ring_filled(self->ends[peer].in, self->ends[peer].tail) || atomic_load(&self->ends[peer].in->ended))
        atomic_fetch_or(&slot->news[peer / 64], bit);
}

static uint32_t side_look(void *rings, unsigned *peer, uint8_t *bytes, uint32_t most) {
    struct rings *self = rings;
    for (unsigned word = 0; word * 64 < self->pcpus; word++) {
        uint64_t bits = atomic_load(&self->slots[self->index].news[word]);
        for (; bits; bits &= bits - 1) {
            unsigned found = word * 64 + (unsigned)__builtin_ctzll(bits);
            if (found >= self->pcpus || !self->ends[found].in) return RINGSIDE_OTHER;
            struct end *end = &self->ends[found];
            if (atomic_load(&end->in->ended)) return RINGSIDE_OTHER;
            ptrdiff_t filled = ring_filled(end->in, end->tail);
            if (filled < 0) return RINGSIDE_OTHER;
            if (!filled) {
                side_settle(self, found);
                continue;
            }
            *peer = found;
            ring_show(end->in, end->tail, bytes, (size_t)filled < most ? (size_t)filled : most);
            return (uint32_t)filled;
        }
    }
    return 0;
}

static void side_take(void *rings, unsigned peer, uint32_t size) {
    struct rings *self = rings;
    struct end *end = &self->ends[peer];
    bool starved = ring_skip(end->in, &end->tail, size);
    side_settle(self, peer);
    if (starved) call_peer(self, end, peer);
}

static bool side_has_room(void *rings, unsigned peer, uint32_t size) {
    struct rings *self = rings;
    struct end *end = peer < self->pcpus ? &self->ends[peer] : NULL;
    return end && end->out && ring_room(end->out, end->head) >= (ptrdiff_t)size;
}

static void side_put(void *rings, unsigned peer, const uint8_t *bytes, uint32_t size) {
    struct rings *self = rings;
    struct end *end = &self->ends[peer];
    if (ring_put(end->out, &end->head, bytes, size) > 0) announce(self, end, peer);
}

static bool side_sleep(void *rings, uint64_t nanoseconds) {
    struct rings *self = rings;
    return bell_sleep(&self->sleeper, &self->slots[self->index], self->pcpus, nanoseconds);
}

static void let_go(PyObject *capsule) { Py_XDECREF((PyObject *)PyCapsule_GetContext(capsule)); }

/* It keeps these rings. */
static PyObject *ringside(PyObject *object, PyObject *none) {
    struct rings *self = (struct rings *)object;
    (void)none;
    self->ringside = (struct ringside){self, side_called, side_look, side_take, side_has_room, side_put, side_sleep};
    PyObject *capsule = PyCapsule_New(&self->ringside, RINGSIDE_NAME, let_go);
    if (capsule) PyCapsule_SetContext(capsule, Py_NewRef(object));
    return capsule;
}

PyObject *call(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer slots;
    unsigned index;
    if (!PyArg_ParseTuple(args, "w*I", &slots, &index)) return NULL;
    bool fits = (index + UINT64_C(1)) * sizeof(struct slot) <= (uint64_t)slots.len;
    if (fits) bell_call((struct slot *)slots.buf + index);
    PyBuffer_Release(&slots);
    if (!fits) return PyErr_Format(PyExc_IndexError, "no slot %u", index);
    Py_RETURN_NONE;
}

PyObject *rung(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer slots;
    unsigned index, count = 0, by = 0, woken = 0;
    if (!PyArg_ParseTuple(args, "y*I", &slots, &index)) return NULL;
    bool fits = (index + UINT64_C(1)) * sizeof(struct slot) <= (uint64_t)slots.len;
    if (fits) {
        struct slot *slot = (struct slot *)slots.buf + index;
        count = atomic_load(&slot->rung);
        by = atomic_load(&slot->rung_by);
        woken = atomic_load(&slot->woken);
    }
    PyBuffer_Release(&slots);
    if (!fits) return PyErr_Format(PyExc_IndexError, "no slot %u", index);
    return Py_BuildValue("III", count, by, woken);
}

static PyMethodDef methods[] = {
    {"join", join, METH_VARARGS, NULL},
    {"put", (PyCFunction)(void (*)(void))put, METH_FASTCALL, NULL},
    {"news", news, METH_NOARGS, NULL},
    {"get", get, METH_O, NULL},
    {"end", end, METH_O, NULL},
    {"lost", lost, METH_NOARGS, NULL},
    {"called", called, METH_NOARGS, NULL},
    {"sleep", sleep_until_rung, METH_O, NULL},
    {"ringside", ringside, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
PyTypeObject rings_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "baonet.core._node.Rings",
    .tp_basicsize = sizeof(struct rings),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_init = rings_init,
    .tp_dealloc = rings_dealloc,
    .tp_methods = methods,
};
