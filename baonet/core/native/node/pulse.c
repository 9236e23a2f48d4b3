/*
 * A thread that neither the GIL nor busy cores hold up. It sends a beat to each peer ten times in the heartbeat time, and who has
 * said nothing for that long is lost: the control stream that belongs to it is shut down, so whoever waits for it there, in
 * whatever way, sees its end. A stream that ends itself means the same, a moment later, as what was said before may still be read.
 *
 * The stream is in the clear. A beat is a number and a code (keyed BLAKE2b) that nobody makes without the key of who says it. Each
 * end has one of its own, and numbers go up; so what others put into the stream, or say again, is not heard.
 *
 * Nobody is silent who has not said anything yet: that it has begun to is its first beat.
 *
 * A time in which this thread itself was not run (its process was stopped, its host slept) makes nobody late.
 */
#define _GNU_SOURCE
#include "pulse.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "blake2b.h"

#define MOST_PEERS 1024u
#define SECOND UINT64_C(1000000000)
#define BEGINS (60 * SECOND) /* until a peer's first beat: its thread may not have begun yet, on a host that has much to do */
#define LAST_WORDS (SECOND / 2) /* between the end of a peer's pulse and that of its control stream */

#define CODE 16u
struct beat {
    uint64_t number;
    uint8_t code[CODE];
};
#define AT_ONCE 64u /* beats that are read before others have their turn */

struct beating {
    int stream, control; /* -1: it is lost */
    uint8_t says[BLAKE2B_SIZE], hears[BLAKE2B_SIZE]; /* keys */
    uint64_t said, heard_last; /* numbers */
    struct beat out, in;
    size_t out_left, in_come; /* bytes of these */
    uint64_t heard, ended;
    _Atomic bool silent, lost;
    _Atomic uint64_t longest;
};

struct pulse {
    PyObject_HEAD
    uint64_t limit;
    int ends_with_peer; /* seconds after a loss until this process ends, 0: it does not */
    int bell;
    pthread_t thread;
    pthread_mutex_t lock; /* of the count, and of what is before it */
    bool made, begun, quits;
    unsigned count;
    struct beating peers[MOST_PEERS];
};

uint64_t pulse_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

void pulse_hurry(void) {
    struct sched_param least = {.sched_priority = sched_get_priority_min(SCHED_RR)};
    if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &least)) setpriority(PRIO_PROCESS, 0, -15); /* 0: this thread (sched(7)) */
}

static void lose(struct beating *peer, uint64_t now) {
    shutdown(peer->control, SHUT_RDWR);
    close(peer->control);
    close(peer->stream);
    peer->stream = peer->control = -1;
    peer->ended = now;
    atomic_store(&peer->lost, true);
}

static struct beat beat_of(const uint8_t key[BLAKE2B_SIZE], uint64_t number) {
    struct beat beat = {.number = number};
    struct blake2b hash;
    uint8_t digest[BLAKE2B_SIZE];
    blake2b_begin_keyed(&hash, key);
    blake2b_add(&hash, &number, sizeof number);
    blake2b_end(&hash, digest);
    memcpy(beat.code, digest, CODE);
    return beat;
}

static bool is_beat(const struct beating *peer, const struct beat *come) {
    struct beat due = beat_of(peer->hears, come->number);
    uint8_t differs = 0;
    for (unsigned i = 0; i < CODE; i++) differs |= due.code[i] ^ come->code[i];
    return !differs && come->number > peer->heard_last;
}

static void hear_one(struct beating *peer, uint64_t now) {
    peer->in_come = 0;
    if (!is_beat(peer, &peer->in)) return;
    peer->heard_last = peer->in.number;
    if (now - peer->heard > atomic_load(&peer->longest)) atomic_store(&peer->longest, now - peer->heard);
    peer->heard = now;
}

static void hear(struct beating *peer, uint64_t now) {
    ssize_t come = 1;
    for (unsigned i = 0; i < AT_ONCE && come > 0; i++) {
        come = recv(peer->stream, (uint8_t *)&peer->in + peer->in_come, sizeof peer->in - peer->in_come, MSG_DONTWAIT);
        if (come > 0 && (peer->in_come += (size_t)come) == sizeof peer->in) hear_one(peer, now);
    }
    if (come > 0) return;
    if ((!come || (errno != EAGAIN && errno != EINTR)) && !peer->ended) peer->ended = now;
}

static void hear_all(struct pulse *pulse, uint64_t now, bool late) {
    for (unsigned i = 0; i < pulse->count; i++) {
        if (pulse->peers[i].stream >= 0) hear(&pulse->peers[i], now);
        if (late) pulse->peers[i].heard = now; /* all have their time anew */
    }
}

static void judge(struct pulse *pulse, uint64_t now) {
    for (unsigned i = 0; i < pulse->count; i++) {
        struct beating *peer = &pulse->peers[i];
        if (peer->stream < 0) {
            if (pulse->ends_with_peer && now - peer->ended > (uint64_t)pulse->ends_with_peer * SECOND) raise(SIGKILL);
            continue;
        }
        uint64_t limit = peer->heard_last || pulse->limit > BEGINS ? pulse->limit : BEGINS;
        bool silent = now - peer->heard > limit;
        if (silent) atomic_store(&peer->silent, true);
        if (silent || (peer->ended && now - peer->ended > LAST_WORDS)) lose(peer, now);
    }
}

/* What a stream does not take of a beat goes before the next one. */
static void say(struct beating *peer) {
    if (!peer->out_left) {
        peer->out = beat_of(peer->says, ++peer->said);
        peer->out_left = sizeof peer->out;
    }
    const uint8_t *end = (const uint8_t *)(&peer->out + 1);
    ssize_t gone = send(peer->stream, end - peer->out_left, peer->out_left, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (gone > 0) peer->out_left -= (size_t)gone;
}

static void beat(struct pulse *pulse) {
    for (unsigned i = 0; i < pulse->count; i++)
        if (pulse->peers[i].stream >= 0) say(&pulse->peers[i]);
}

static void *life(void *argument) {
    struct pulse *pulse = argument;
    uint64_t step = pulse->limit / BEATS, next = pulse_now();
    pulse_hurry();
    for (;;) {
        uint64_t time = pulse_now();
        struct pollfd wake = {.fd = pulse->bell, .events = POLLIN};
        poll(&wake, 1, time < next ? (int)((next - time) / 1000000 + 1) : 0);
        pthread_mutex_lock(&pulse->lock);
        if (pulse->quits) return pthread_mutex_unlock(&pulse->lock), NULL;
        time = pulse_now();
        if (time >= next) {
            hear_all(pulse, time, time - next > step);
            judge(pulse, time);
            beat(pulse);
            next = time + step;
        }
        pthread_mutex_unlock(&pulse->lock);
    }
}

/* Python's side */

static int init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"limit", "ends_with_peer", NULL};
    struct pulse *pulse = (struct pulse *)self;
    double limit;
    if (pulse->made) return PyErr_SetString(PyExc_RuntimeError, "a pulse is made once"), -1;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "di", names, &limit, &pulse->ends_with_peer)) return -1;
    if (!(limit >= 0.01 && limit <= 1e6)) return PyErr_SetString(PyExc_ValueError, "no such time"), -1;
    pulse->limit = (uint64_t)(limit * 1e9);
    if ((pulse->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) return PyErr_SetFromErrno(PyExc_OSError), -1;
    pthread_mutex_init(&pulse->lock, NULL);
    pulse->made = true;
    return 0;
}

static bool begin(struct pulse *pulse) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&pulse->thread, NULL, life, pulse);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) return errno = error, PyErr_SetFromErrno(PyExc_OSError), false;
    return pulse->begun = true;
}

static PyObject *watch(PyObject *self, PyObject *args) {
    struct pulse *pulse = (struct pulse *)self;
    int stream, control;
    const char *says, *hears;
    Py_ssize_t says_length, hears_length;
    if (!PyArg_ParseTuple(args, "iiy#y#", &stream, &control, &says, &says_length, &hears, &hears_length)) return NULL;
    if (says_length != BLAKE2B_SIZE || hears_length != BLAKE2B_SIZE) return PyErr_Format(PyExc_ValueError, "a key has %d bytes", BLAKE2B_SIZE);
    if (!pulse->made || pulse->quits || pulse->count == MOST_PEERS) return PyErr_Format(PyExc_RuntimeError, "nobody more can be heard");
    struct beating peer = {.stream = fcntl(stream, F_DUPFD_CLOEXEC, 3), .control = fcntl(control, F_DUPFD_CLOEXEC, 3)};
    if (peer.stream < 0 || peer.control < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        if (peer.stream >= 0) close(peer.stream);
        return NULL;
    }
    memcpy(peer.says, says, sizeof peer.says);
    memcpy(peer.hears, hears, sizeof peer.hears);
    peer.heard = pulse_now();
    pthread_mutex_lock(&pulse->lock);
    pulse->peers[pulse->count++] = peer;
    pthread_mutex_unlock(&pulse->lock);
    if (!pulse->begun && !begin(pulse)) return NULL;
    Py_RETURN_NONE;
}

static struct beating *peer_of(struct pulse *pulse, PyObject *number) {
    size_t index = PyLong_AsSize_t(number);
    if (PyErr_Occurred()) return NULL;
    if (index >= pulse->count) return PyErr_Format(PyExc_IndexError, "no peer %zu", index), NULL;
    return &pulse->peers[index];
}

static PyObject *silent(PyObject *self, PyObject *number) {
    struct beating *peer = peer_of((struct pulse *)self, number);
    return peer ? PyBool_FromLong(atomic_load(&peer->silent)) : NULL;
}

static PyObject *lost(PyObject *self, PyObject *number) {
    struct beating *peer = peer_of((struct pulse *)self, number);
    return peer ? PyBool_FromLong(atomic_load(&peer->lost)) : NULL;
}

static PyObject *longest(PyObject *self, PyObject *number) {
    struct beating *peer = peer_of((struct pulse *)self, number);
    return peer ? PyFloat_FromDouble((double)atomic_load(&peer->longest) / 1e9) : NULL;
}

static void stop(struct pulse *pulse) {
    if (!pulse->made) return;
    pthread_mutex_lock(&pulse->lock);
    pulse->quits = true;
    pthread_mutex_unlock(&pulse->lock);
    if (pulse->begun) {
        uint64_t one = 1;
        if (write(pulse->bell, &one, sizeof one) < 0) errno = 0; /* it looks within a beat anyway */
        pthread_join(pulse->thread, NULL);
    }
    pulse->begun = false;
    for (unsigned i = 0; i < pulse->count; i++) {
        struct beating *peer = &pulse->peers[i];
        if (peer->stream < 0) continue;
        close(peer->stream);
        close(peer->control);
        peer->stream = peer->control = -1;
    }
}

static PyObject *close_all(PyObject *self, PyObject *none) {
    struct pulse *pulse = (struct pulse *)self;
    (void)none;
    Py_BEGIN_ALLOW_THREADS;
    stop(pulse);
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

static void dealloc(PyObject *self) {
    struct pulse *pulse = (struct pulse *)self;
    stop(pulse);
    if (pulse->made) {
        close(pulse->bell);
        pthread_mutex_destroy(&pulse->lock);
    }
    Py_TYPE(self)->tp_free(self);
}

static PyMethodDef methods[] = {
    {"watch", watch, METH_VARARGS, NULL},
    {"silent", silent, METH_O, NULL},
    {"lost", lost, METH_O, NULL},
    {"longest", longest, METH_O, NULL},
    {"close", close_all, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
PyTypeObject pulse_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "baonet.core._node.Pulse",
    .tp_basicsize = sizeof(struct pulse),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_init = init,
    .tp_dealloc = dealloc,
    .tp_methods = methods,
};
