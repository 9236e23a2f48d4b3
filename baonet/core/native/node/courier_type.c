/* The Python type Courier; baonet/core/_node.pyi documents it. */
#include "courier_type.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster_shape.h"
#include "coherent.h"
#include "courier.h"
#include "courier_told.h"
#include "directory.h"
#include "link_type.h"
#include "ringing.h"
#include "timing.h"
#include "weaving.h"

/* A writable buffer of at least so many bytes, which is kept; NULL with a Python error. */
static void *memory(struct courier *courier, PyObject *buffer, size_t least) {
    PyObject *view = PyMemoryView_FromObject(buffer);
    if (!view) return NULL;
    Py_buffer *found = PyMemoryView_GET_BUFFER(view);
    void *start = NULL;
    if (found->readonly || (size_t)found->len < least)
        PyErr_SetString(PyExc_ValueError, "a buffer is read-only or too small");
    else if (!PyList_Append(courier->kept, view))
        start = found->buf;
    Py_DECREF(view);
    return start;
}

/* One more of an array. NULL with a Python error. */
static void *grow(void *array, unsigned count, size_t size) {
    void *grown = PyMem_Realloc(array, (count + 1) * size);
    if (grown) memset((char *)grown + count * size, 0, size);
    return grown ? grown : PyErr_NoMemory();
}

static int init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"node", "bell", "told", "limit", NULL};
    double limit;
    struct courier *courier = (struct courier *)self;
    if (courier->kept) return PyErr_SetString(PyExc_RuntimeError, "a courier is made once"), -1;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "Iiid", names, &courier->node, &courier->bell, &courier->told, &limit)) return -1;
    if (!(limit >= 0.01 && limit <= 1e6)) return PyErr_SetString(PyExc_ValueError, "no such time"), -1;
    courier->limit = (uint64_t)(limit * 1e9);
    if (!(courier->kept = PyList_New(0))) return -1;
    courier->epoll = epoll_create1(EPOLL_CLOEXEC);
    courier->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (courier->epoll < 0 || courier->timer < 0) return PyErr_SetFromErrno(PyExc_OSError), -1;
    struct epoll_event bell = {.events = EPOLLIN, .data.u64 = COURIER_BELL};
    struct epoll_event timer = {.events = EPOLLIN | EPOLLET, .data.u64 = COURIER_TIMER};
    if (epoll_ctl(courier->epoll, EPOLL_CTL_ADD, courier->bell, &bell) || epoll_ctl(courier->epoll, EPOLL_CTL_ADD, courier->timer, &timer))
        return PyErr_SetFromErrno(PyExc_OSError), -1;
    return 0;
}

static bool may_change(struct courier *courier) {
    if (!courier->begun) return true;
    PyErr_SetString(PyExc_RuntimeError, "the courier has begun");
    return false;
}

static struct peer *peer_of(struct courier *courier, unsigned node) {
    for (unsigned i = 0; i < courier->peer_count; i++)
        if (courier->peers[i].node == node) return &courier->peers[i];
    return NULL;
}

static PyObject *add_peer(PyObject *self, PyObject *args) {
    struct courier *courier = (struct courier *)self;
    unsigned node;
    if (!PyArg_ParseTuple(args, "I", &node) || !may_change(courier)) return NULL;
    if (courier->parts) return PyErr_Format(PyExc_RuntimeError, "peers come before islands");
    struct peer *peers = grow(courier->peers, courier->peer_count, sizeof *peers);
    if (!peers) return NULL;
    courier->peers = peers;
    peers[courier->peer_count++] = (struct peer){.node = node, .link = {.fd = -1}};
    Py_RETURN_NONE;
}

static PyObject *connect_peer(PyObject *self, PyObject *args) {
    struct courier *courier = (struct courier *)self;
    unsigned node;
    PyObject *link;
    if (!PyArg_ParseTuple(args, "IO!", &node, &link_type, &link) || !may_change(courier)) return NULL;
    struct peer *peer = peer_of(courier, node);
    if (!peer || peer->link.fd >= 0) return PyErr_Format(PyExc_LookupError, "no stream to node %u is expected", node);
    PyObject *keys = link_give(link, &peer->link);
    if (!keys) return NULL;
    int kept = PyList_Append(courier->kept, keys); /* a session goes on in them */
    Py_DECREF(keys);
    return kept ? NULL : Py_NewRef(Py_None);
}

static bool see(struct part *part, struct peer *peer) {
    for (unsigned i = 0; i < part->view_count; i++)
        if (part->views[i].peer == peer) return true;
    struct view *views = grow(part->views, part->view_count, sizeof *views);
    if (!views) return false;
    part->views = views;
    views[part->view_count] = (struct view){.peer = peer, .known = PyMem_Calloc(part->lanes, sizeof(uint64_t))};
    if (!views[part->view_count].known) return PyErr_NoMemory(), false;
    part->view_count++;
    return true;
}

/* The other nodes of the island that this one speaks with. */
static bool see_others(struct courier *courier, struct part *part) {
    for (unsigned i = 0; i < part->member_count; i++) {
        unsigned node = part->nodes[part->members[i]];
        if (node == courier->node || (courier->node != part->home && node != part->home)) continue;
        struct peer *peer = peer_of(courier, node);
        if (!peer) return PyErr_Format(PyExc_LookupError, "no stream to node %u", node), false;
        if (!see(part, peer)) return false;
    }
    return true;
}

static bool find_members(struct part *part) {
    if (!(part->members = PyMem_Calloc(part->lanes + 1, sizeof *part->members))) return PyErr_NoMemory(), false;
    for (unsigned pcpu = 0; pcpu < part->lanes; pcpu++)
        if (part->nodes[pcpu] != NOWHERE) part->members[part->member_count++] = (uint16_t)pcpu;
    return true;
}

static PyObject *add_island(PyObject *self, PyObject *args) {
    struct courier *courier = (struct courier *)self;
    PyObject *ledger, *slots, *nodes, *processes;
    unsigned short number;
    unsigned lanes, home, segments;
    int caller;
    PyObject *epoch = Py_None;
    if (!PyArg_ParseTuple(args, "HIIOOOOIi|O", &number, &lanes, &home, &ledger, &slots, &nodes, &processes, &segments, &caller, &epoch))
        return NULL;
    unsigned long long began = epoch == Py_None ? 0 : PyLong_AsUnsignedLongLong(epoch);
    if (PyErr_Occurred()) return NULL;
    if (!may_change(courier)) return NULL;
    if (lanes > MAX_PCPUS) return PyErr_Format(PyExc_ValueError, "too many pcpus");
    struct part *parts = grow(courier->parts, courier->part_count, sizeof *parts);
    if (!parts) return NULL;
    courier->parts = parts;
    struct part *part = &parts[courier->part_count];
    *part = (struct part){.number = number, .lanes = lanes, .home = home, .table_count = segments};
    part->ledger = memory(courier, ledger, sizeof(struct ledger) + lanes * sizeof(struct lane));
    part->slots = part->ledger ? memory(courier, slots, lanes * sizeof(struct slot)) : NULL;
    part->nodes = part->slots ? memory(courier, nodes, lanes * sizeof(uint16_t)) : NULL;
    part->processes = part->nodes ? memory(courier, processes, lanes * sizeof(uint16_t)) : NULL;
    part->tables = PyMem_Calloc(segments + 1, sizeof *part->tables);
    if (part->processes && !find_members(part)) return NULL;
    if (!part->processes || !part->tables || !see_others(courier, part)) return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    if (epoch != Py_None && !(part->timing = timing_new(began, home == courier->node))) return PyErr_NoMemory();
    if (part->timing && !(part->ended = calloc(lanes, sizeof *part->ended))) return PyErr_NoMemory();
    if (part->timing && !(part->granted = calloc(lanes, sizeof *part->granted))) return PyErr_NoMemory();
    part->ledger->courier = caller + 1;
    part->ledger->conducted_away = home != courier->node;
    if (part->timing && part->view_count >= MOST_MEMBERS) return PyErr_Format(PyExc_ValueError, "an island is on at most %u nodes", MOST_MEMBERS);
    for (unsigned pcpu = 0; pcpu < lanes; pcpu++)
        if ((part->ledger->lanes[pcpu].away = part->nodes[pcpu] != NOWHERE && part->nodes[pcpu] != courier->node) && part->timing)
            atomic_store(&part->slots[pcpu].in_guest, 1); /* who asks something of it waits until that was done there */
    courier->part_count++;
    Py_RETURN_NONE;
}

static struct part *part_of(struct courier *courier, unsigned number) {
    struct part *part = courier_part(courier, number);
    if (!part) PyErr_Format(PyExc_LookupError, "no island %u", number);
    return part;
}

static PyObject *add_table(PyObject *self, PyObject *args) {
    struct courier *courier = (struct courier *)self;
    unsigned number, segment, pages;
    int device;
    PyObject *entries, *bytes;
    if (!PyArg_ParseTuple(args, "IIIOOp", &number, &segment, &pages, &entries, &bytes, &device) || !may_change(courier)) return NULL;
    struct part *part = part_of(courier, number);
    if (!part || segment >= part->table_count) return part ? PyErr_Format(PyExc_LookupError, "no segment %u", segment) : NULL;
    struct table *table = &part->tables[segment];
    table->bytes = memory(courier, bytes, (size_t)pages * GUEST_PAGE);
    table->entries = table->bytes ? memory(courier, entries, pages * sizeof *table->entries) : NULL;
    if (!table->entries) return NULL;
    table->brought = PyMem_Calloc(pages, sizeof *table->brought);
    if (!table->brought) return PyErr_NoMemory();
    table->device = device;
    table->pages = device ? 1 : pages;
    if (part->timing && !coherent_begin(courier, part, table)) return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *add_rings(PyObject *self, PyObject *args) {
    struct courier *courier = (struct courier *)self;
    unsigned number;
    PyObject *rings;
    Py_buffer places;
    if (!PyArg_ParseTuple(args, "IOy*", &number, &rings, &places)) return NULL;
    struct part *part = may_change(courier) ? part_of(courier, number) : NULL;
    uint8_t *start = part ? memory(courier, rings, part->lanes) : NULL;
    const char *wrong = NULL;
    if (start) {
        size_t size = (size_t)PyMemoryView_GET_BUFFER(PyList_GET_ITEM(courier->kept, PyList_GET_SIZE(courier->kept) - 1))->len;
        unsigned count = (unsigned)((size_t)places.len / sizeof(struct ring_places));
        wrong = ringing_begin(courier, part, start, size, places.buf, count);
    }
    PyBuffer_Release(&places);
    if (wrong) PyErr_SetString(PyExc_ValueError, wrong);
    return start && !wrong ? Py_NewRef(Py_None) : NULL;
}

/* (island, its memory, its shape, its first pcpu, the VM of each as it counts them) */
static PyObject *add_cluster(PyObject *self, PyObject *args) {
    struct courier *courier = (struct courier *)self;
    unsigned number, first, owners[MEMSYS_PARTIES];
    PyObject *buffer, *bytes, *vms;
    struct memsys_shape shape;
    struct memsys_weave weave;
    if (!PyArg_ParseTuple(args, "IOSIO!", &number, &buffer, &bytes, &first, &PyTuple_Type, &vms) || !may_change(courier)) return NULL;
    struct part *part = part_of(courier, number);
    if (!part || !shape_from(bytes, &shape)) return NULL;
    void *start = memory(courier, buffer, memsys_weave_size(&shape));
    if (!start) return NULL;
    if (PyTuple_GET_SIZE(vms) != (Py_ssize_t)shape.parties) return PyErr_Format(PyExc_ValueError, "the VM of each pcpu is due");
    for (unsigned i = 0; i < shape.parties; i++) owners[i] = (unsigned)PyLong_AsUnsignedLong(PyTuple_GET_ITEM(vms, (Py_ssize_t)i)) % MEMSYS_VMS;
    if (PyErr_Occurred()) return NULL;
    memsys_weave_open(&weave, &shape, start);
    const char *wrong = weaving_add(part, &weave, first, owners);
    return wrong ? PyErr_Format(PyExc_ValueError, "%s", wrong) : Py_NewRef(Py_None);
}

static PyObject *add_relay(PyObject *self, PyObject *args) {
    struct courier *courier = (struct courier *)self;
    unsigned number, pcpu, node;
    int fd;
    if (!PyArg_ParseTuple(args, "IIIi", &number, &pcpu, &node, &fd) || !may_change(courier)) return NULL;
    struct part *part = part_of(courier, number);
    struct peer *peer = peer_of(courier, node);
    if (!part || !peer) return part ? PyErr_Format(PyExc_LookupError, "no stream to node %u", node) : NULL;
    struct relay *relays = grow(part->relays, part->relay_count, sizeof *relays);
    if (!relays) return NULL;
    part->relays = relays;
    relays[part->relay_count++] = (struct relay){.link = {.fd = fd}, .pcpu = pcpu, .peer = peer};
    Py_RETURN_NONE;
}

static PyObject *begin(PyObject *self, PyObject *none) {
    struct courier *courier = (struct courier *)self;
    (void)none;
    if (!may_change(courier)) return NULL;
    for (unsigned i = 0; i < courier->peer_count; i++)
        if (courier->peers[i].link.fd < 0) return PyErr_Format(PyExc_LookupError, "no stream to node %u", courier->peers[i].node);
    int error = courier_begin(courier);
    if (error) return errno = error, PyErr_SetFromErrno(PyExc_OSError);
    courier->begun = true;
    Py_RETURN_NONE;
}

static PyObject *reset(PyObject *self, PyObject *args) {
    struct courier *courier = (struct courier *)self;
    unsigned number, segment;
    if (!PyArg_ParseTuple(args, "II", &number, &segment)) return NULL;
    struct part *part = part_of(courier, number);
    if (!part) return NULL;
    if (segment < part->table_count && part->tables[segment].entries) part_reset(courier, part, &part->tables[segment]);
    Py_RETURN_NONE;
}

static PyObject *ended(PyObject *self, PyObject *args) {
    struct courier *courier = (struct courier *)self;
    unsigned pcpu;
    if (!PyArg_ParseTuple(args, "I", &pcpu)) return NULL;
    for (unsigned i = 0; i < courier->part_count; i++) coherent_ended(&courier->parts[i], pcpu);
    Py_RETURN_NONE;
}

static void dealloc(PyObject *self) {
    struct courier *courier = (struct courier *)self;
    for (unsigned i = 0; i < courier->peer_count; i++) link_free(&courier->peers[i].link);
    for (unsigned i = 0; i < courier->part_count; i++) {
        struct part *part = &courier->parts[i];
        for (unsigned j = 0; j < part->relay_count; j++) link_free(&part->relays[j].link);
        for (unsigned j = 0; j < part->view_count; j++) PyMem_Free(part->views[j].known);
        coherent_end(part);
        weaving_end(part);
        ringing_end(part);
        PyMem_Free(part->views);
        PyMem_Free(part->relays);
        for (unsigned j = 0; part->tables && j < part->table_count; j++) PyMem_Free(part->tables[j].brought);
        PyMem_Free(part->tables);
        PyMem_Free(part->members);
        free(part->waiting);
        free(part->timing);
        free(part->ended);
        free(part->granted);
    }
    PyMem_Free(courier->parts);
    PyMem_Free(courier->peers);
    if (courier->kept) close(courier->epoll);
    if (courier->kept) close(courier->timer);
    Py_XDECREF(courier->kept);
    Py_TYPE(self)->tp_free(self);
}

/* In a child that was forked: it has no courier, and what the courier points to may go. */
static PyObject *forget(PyObject *self, PyObject *none) {
    struct courier *courier = (struct courier *)self;
    (void)none;
    if (!may_change(courier)) return NULL;
    courier->part_count = courier->peer_count = 0;
    return PyList_SetSlice(courier->kept, 0, PyList_GET_SIZE(courier->kept), NULL) ? NULL : Py_NewRef(Py_None);
}

/* The thread ends, and with it all streams. */
static PyObject *close_all(PyObject *self, PyObject *caller) {
    struct courier *courier = (struct courier *)self;
    uint16_t nobody = COURIER_NOBODY;
    long fd = PyLong_AsLong(caller);
    if (PyErr_Occurred()) return NULL;
    if (courier->begun) {
        atomic_store(&courier->quits, true);
        Py_BEGIN_ALLOW_THREADS;
        if (send((int)fd, &nobody, sizeof nobody, MSG_NOSIGNAL) == sizeof nobody) pthread_join(courier->thread, NULL);
        Py_END_ALLOW_THREADS;
    }
    courier->begun = false;
    for (unsigned i = 0; i < courier->peer_count; i++) link_free(&courier->peers[i].link);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"peer", add_peer, METH_VARARGS, NULL},
    {"connect", connect_peer, METH_VARARGS, NULL},
    {"island", add_island, METH_VARARGS, NULL},
    {"table", add_table, METH_VARARGS, NULL},
    {"rings", add_rings, METH_VARARGS, NULL},
    {"cluster", add_cluster, METH_VARARGS, NULL},
    {"relay", add_relay, METH_VARARGS, NULL},
    {"begin", begin, METH_NOARGS, NULL},
    {"forget", forget, METH_NOARGS, NULL},
    {"reset", reset, METH_VARARGS, NULL},
    {"ended", ended, METH_VARARGS, NULL},
    {"statistics", courier_statistics, METH_NOARGS, NULL},
    {"hottest", courier_hottest, METH_NOARGS, NULL},
    {"synchronised", courier_synchronised, METH_NOARGS, NULL},
    {"clocks", courier_clocks, METH_NOARGS, NULL},
    {"close", close_all, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
PyTypeObject courier_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "baonet.core._node.Courier",
    .tp_basicsize = sizeof(struct courier),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_init = init,
    .tp_dealloc = dealloc,
    .tp_methods = methods,
};
