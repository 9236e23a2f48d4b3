/*
 * The courier of a node: one thread, without Python, that has the streams to the couriers of other nodes. It is called by cores
 * of this node over a socket (ledger_call), reads what other nodes say, and passes on what processes of islands that are split
 * say to each other. It never spins: the cores that it works for need the host's, and are slower without (measured on two).
 *
 * A peer that says what cannot be, or ends, is lost: that is told by its number on `told`.
 */
#define _GNU_SOURCE
#include "courier.h"
#include "link_type.h"
#include "pulse.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUIT 0xfffeu
#define EVENTS 64
#define CONGESTED (1u << 20) /* bytes that wait for a node: nothing more is taken from processes that speak to it */

enum { OF_BELL, OF_PEER, OF_RELAY };
#define KEY(kind, part, index) ((uint64_t)(kind) << 48 | (uint64_t)(part) << 32 | (uint64_t)(index))

static void add(struct courier *courier, struct link *link, uint64_t key) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = key};
    link->watched = EPOLLIN;
    epoll_ctl(courier->epoll, EPOLL_CTL_ADD, link->fd, &event);
}

static void watch(struct courier *courier, struct link *link, uint64_t key, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u64 = key};
    if (link->watched == events) return;
    link->watched = events;
    epoll_ctl(courier->epoll, EPOLL_CTL_MOD, link->fd, &event);
}

static void lose(struct courier *courier, struct peer *peer) {
    uint16_t node = (uint16_t)peer->node;
    if (peer->lost) return;
    peer->lost = true;
    link_free(&peer->link);
    if (write(courier->told, &node, sizeof node) != sizeof node) return; /* nobody wants to know any more */
}

static void called(struct courier *courier, unsigned pcpu) {
    for (unsigned i = 0; i < courier->part_count; i++)
        if (pcpu < courier->parts[i].lanes) part_called(courier, &courier->parts[i], pcpu);
}

/* False: it is to end. */
static bool answer_calls(struct courier *courier) {
    uint8_t calls[512];
    ssize_t come = recv(courier->bell, calls + courier->has_half, sizeof calls - 1, MSG_DONTWAIT);
    if (come <= 0) return true;
    calls[0] = courier->has_half ? courier->half : calls[0];
    size_t length = (size_t)come + courier->has_half, at = 0;
    for (; at + 2 <= length; at += 2) {
        uint16_t pcpu;
        memcpy(&pcpu, calls + at, sizeof pcpu);
        if (pcpu == QUIT) return false;
        called(courier, pcpu);
    }
    courier->has_half = at < length;
    if (courier->has_half) courier->half = calls[at];
    for (unsigned i = 0; i < courier->part_count; i++) {
        struct part *part = &courier->parts[i];
        if (!atomic_exchange(&part->ledger->missed, 0)) continue;
        for (unsigned j = 0; j < part->member_count; j++) part_called(courier, part, part->members[j]);
    }
    return true;
}

static struct part *find(struct courier *courier, unsigned number) {
    for (unsigned i = 0; i < courier->part_count; i++)
        if (courier->parts[i].number == number) return &courier->parts[i];
    return NULL;
}

static void hear(struct courier *courier, struct peer *peer) {
    if (peer->lost) return;
    bool open = link_read(&peer->link), wrong = false;
    peer->heard = pulse_now();
    size_t at = 0;
    for (const struct head *head; (head = link_frame(&peer->link, &at, &wrong));) {
        struct head copy;
        memcpy(&copy, head, sizeof copy);
        if (copy.kind == FRAME_BEAT) continue;
        struct part *part = find(courier, copy.island);
        wrong = !part || !part_take(courier, part, peer, copy.kind, (const uint8_t *)head + sizeof copy, copy.length);
        if (wrong) break;
    }
    if (wrong || !open)
        lose(courier, peer);
    else
        link_done(&peer->link, at);
}

static void pass_on(struct courier *courier, struct part *part, struct relay *relay) {
    uint8_t bytes[65536];
    ssize_t come = relay->link.fd < 0 ? -1 : recv(relay->link.fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (come > 0) {
        part_relay(courier, part, relay, bytes, (size_t)come);
    } else if (!come || (errno != EAGAIN && errno != EINTR)) {
        part_relay(courier, part, relay, bytes, 0);
        link_free(&relay->link);
    }
}

/* What waits goes where there is room, and who has too much waiting for him is not helped to more. */
static void flush(struct courier *courier) {
    for (unsigned i = 0; i < courier->peer_count; i++) {
        struct peer *peer = &courier->peers[i];
        if (peer->lost) continue;
        if ((peer->link.out.length && !link_flush(&peer->link)) || peer->link.out.length > MOST_WAITING) {
            lose(courier, peer);
            continue;
        }
        watch(courier, &peer->link, KEY(OF_PEER, 0, i), EPOLLIN | (link_wants_room(&peer->link) ? EPOLLOUT : 0));
    }
    for (unsigned i = 0; i < courier->part_count; i++) {
        for (unsigned j = 0; j < courier->parts[i].relay_count; j++) {
            struct relay *relay = &courier->parts[i].relays[j];
            if (relay->link.fd < 0) continue;
            if (relay->link.out.length && !link_flush(&relay->link)) relay->ended = true, relay->link.out.length = 0;
            if (relay->ended && !relay->link.out.length) {
                link_free(&relay->link);
                continue;
            }
            bool held = relay->peer->link.out.length > CONGESTED, waits = relay->link.out.length > 0;
            watch(courier, &relay->link, KEY(OF_RELAY, i, j), (held ? 0 : EPOLLIN) | (waits ? EPOLLOUT : 0));
        }
    }
}

/* That this node lives, and who of the others says nothing. A time in which nobody looked makes nobody late. */
static void beat(struct courier *courier) {
    uint64_t time = pulse_now(), step = courier->limit / BEATS;
    if (time < courier->beats) return;
    bool late = time - courier->beats > step;
    for (unsigned i = 0; i < courier->peer_count; i++) {
        struct peer *peer = &courier->peers[i];
        if (peer->lost) continue;
        if (late) peer->heard = time;
        if (time - peer->heard > courier->limit)
            lose(courier, peer);
        else if (!peer->link.out.length && link_begin(&peer->link, FRAME_BEAT, 0, 0))
            link_end(&peer->link, 0);
    }
    courier->beats = time + step;
}

static bool has_more(const struct courier *courier) {
    for (unsigned i = 0; i < courier->peer_count; i++)
        if (courier->peers[i].link.hidden) return true;
    return false;
}

static void *life(void *argument) {
    struct courier *courier = argument;
    struct epoll_event events[EVENTS];
    courier->beats = pulse_now();
    for (unsigned i = 0; i < courier->peer_count; i++) courier->peers[i].heard = courier->beats;
    for (;;) {
        uint64_t time = pulse_now();
        int rest = time < courier->beats && !has_more(courier) ? (int)((courier->beats - time) / 1000000 + 1) : 0;
        int count = epoll_wait(courier->epoll, events, EVENTS, rest);
        for (int i = 0; i < count; i++) {
            unsigned kind = (unsigned)(events[i].data.u64 >> 48), part = (unsigned)(events[i].data.u64 >> 32 & 0xffff);
            unsigned index = (unsigned)events[i].data.u64;
            if (kind == OF_BELL && !answer_calls(courier)) return NULL;
            bool reads = events[i].events & ~(uint32_t)EPOLLOUT;
            if (!reads && !(kind == OF_PEER && courier->peers[index].link.reads_when_writable)) continue;
            if (kind == OF_PEER) hear(courier, &courier->peers[index]);
            if (kind == OF_RELAY) pass_on(courier, &courier->parts[part], &courier->parts[part].relays[index]);
        }
        for (unsigned i = 0; i < courier->peer_count; i++)
            if (courier->peers[i].link.hidden) hear(courier, &courier->peers[i]);
        beat(courier);
        flush(courier);
    }
}

/* Python's side */

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
    if (courier->epoll < 0) return PyErr_SetFromErrno(PyExc_OSError), -1;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = KEY(OF_BELL, 0, 0)};
    if (epoll_ctl(courier->epoll, EPOLL_CTL_ADD, courier->bell, &event)) return PyErr_SetFromErrno(PyExc_OSError), -1;
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
    if (!PyArg_ParseTuple(args, "HIIOOOOIi", &number, &lanes, &home, &ledger, &slots, &nodes, &processes, &segments, &caller)) return NULL;
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
    part->ledger->courier = caller + 1;
    part->ledger->conducted_away = home != courier->node;
    for (unsigned pcpu = 0; pcpu < lanes; pcpu++)
        part->ledger->lanes[pcpu].away = part->nodes[pcpu] != NOWHERE && part->nodes[pcpu] != courier->node;
    courier->part_count++;
    Py_RETURN_NONE;
}

static struct part *part_of(struct courier *courier, unsigned number) {
    struct part *part = find(courier, number);
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
    Py_RETURN_NONE;
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
    for (unsigned i = 0; i < courier->peer_count; i++) add(courier, &courier->peers[i].link, KEY(OF_PEER, 0, i));
    for (unsigned i = 0; i < courier->part_count; i++)
        for (unsigned j = 0; j < courier->parts[i].relay_count; j++)
            add(courier, &courier->parts[i].relays[j].link, KEY(OF_RELAY, i, j));
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&courier->thread, NULL, life, courier);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
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

static PyObject *statistics(PyObject *self, PyObject *none) {
    struct courier *courier = (struct courier *)self;
    (void)none;
    uint64_t bytes = 0;
    for (unsigned i = 0; i < courier->peer_count; i++) bytes += courier->peers[i].link.sent;
    return Py_BuildValue("{sKsKsKsK}", "brought", (unsigned long long)courier->brought, "given", (unsigned long long)courier->given,
                         "orders", (unsigned long long)courier->orders, "bytes", (unsigned long long)bytes);
}

#define MOST_HOT 64u
struct hot {
    uint32_t times, page;
    unsigned island, segment;
};

/* Keeps the most of them, the greatest first. */
static void note_hot(struct hot *most, struct hot hot) {
    unsigned place = MOST_HOT;
    while (place && most[place - 1].times < hot.times) place--;
    if (place == MOST_HOT) return;
    memmove(most + place + 1, most + place, (MOST_HOT - place - 1) * sizeof *most);
    most[place] = hot;
}

/* (island, segment, page, how often it came here) of the pages that came most often. */
static PyObject *hottest(PyObject *self, PyObject *none) {
    struct courier *courier = (struct courier *)self;
    struct hot most[MOST_HOT] = {0};
    (void)none;
    for (unsigned i = 0; i < courier->part_count; i++) {
        struct part *part = &courier->parts[i];
        for (unsigned segment = 0; segment < part->table_count; segment++)
            for (uint32_t page = 0; page < part->tables[segment].pages; page++)
                note_hot(most, (struct hot){part->tables[segment].brought[page], page, part->number, segment});
    }
    PyObject *list = PyList_New(0);
    for (unsigned i = 0; list && i < MOST_HOT && most[i].times; i++) {
        PyObject *each = Py_BuildValue("(IIII)", most[i].island, most[i].segment, most[i].page, most[i].times);
        if (!each || PyList_Append(list, each)) Py_CLEAR(list);
        Py_XDECREF(each);
    }
    return list;
}

static void dealloc(PyObject *self) {
    struct courier *courier = (struct courier *)self;
    for (unsigned i = 0; i < courier->peer_count; i++) link_free(&courier->peers[i].link);
    for (unsigned i = 0; i < courier->part_count; i++) {
        struct part *part = &courier->parts[i];
        for (unsigned j = 0; j < part->relay_count; j++) link_free(&part->relays[j].link);
        for (unsigned j = 0; j < part->view_count; j++) PyMem_Free(part->views[j].known);
        PyMem_Free(part->views);
        PyMem_Free(part->relays);
        for (unsigned j = 0; part->tables && j < part->table_count; j++) PyMem_Free(part->tables[j].brought);
        PyMem_Free(part->tables);
        PyMem_Free(part->members);
        free(part->waiting);
    }
    PyMem_Free(courier->parts);
    PyMem_Free(courier->peers);
    if (courier->kept) close(courier->epoll);
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
    uint16_t quit = QUIT;
    long fd = PyLong_AsLong(caller);
    if (PyErr_Occurred()) return NULL;
    if (courier->begun) {
        Py_BEGIN_ALLOW_THREADS;
        if (send((int)fd, &quit, sizeof quit, MSG_NOSIGNAL) == sizeof quit) pthread_join(courier->thread, NULL);
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
    {"relay", add_relay, METH_VARARGS, NULL},
    {"begin", begin, METH_NOARGS, NULL},
    {"forget", forget, METH_NOARGS, NULL},
    {"reset", reset, METH_VARARGS, NULL},
    {"statistics", statistics, METH_NOARGS, NULL},
    {"hottest", hottest, METH_NOARGS, NULL},
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
