/* The Python type Rounds. baonet/core/architecture.py gives it its typed face. */
#include "rounds_type.h"

#include "clock.h"
#include "cluster.h"
#include "memory_counts.h"
#include "rounds.h"
#include "type.h"

static void dealloc(PyObject *self) {
    struct rounds *rounds = (struct rounds *)self;
    PyMem_Free(rounds->members);
    PyMem_Free(rounds->stays);
    PyMem_Free(rounds->woven);
    Py_XDECREF(rounds->kept);
    Py_TYPE(self)->tp_free(self);
}

/* A ledger for pcpus with numbers up to `most`, in a buffer that stays exported as long as `view`; NULL with a Python error. */
static struct ledger *ledger_in(PyObject *buffer, unsigned most, PyObject **view) {
    if (!(*view = PyMemoryView_FromObject(buffer))) return NULL;
    const Py_buffer *memory = PyMemoryView_GET_BUFFER(*view);
    if (!memory->readonly && (size_t)memory->len >= sizeof(struct ledger) + (most + (size_t)1) * sizeof(struct lane)) return memory->buf;
    PyErr_SetString(PyExc_ValueError, "the ledger is read-only or too small");
    return NULL;
}

static struct core *core_in(PyObject *object) {
    if (PyObject_TypeCheck(object, &core_type) && ((struct core *)object)->hz) return (struct core *)object;
    PyErr_SetString(PyExc_TypeError, "not a core in virtual time");
    return NULL;
}

/* A core that is here, or (pcpu, the first pcpu in its process). */
static int add(struct rounds *rounds, PyObject *one) {
    struct core *core = NULL;
    unsigned pcpu, process;
    if (!PyTuple_Check(one)) {
        if (!(core = core_in(one))) return -1;
        pcpu = process = core->index;
    } else if (!PyArg_ParseTuple(one, "II", &pcpu, &process)) {
        return -1;
    }
    if (rounds->count && rounds->members[rounds->count - 1].pcpu >= pcpu) {
        PyErr_SetString(PyExc_ValueError, "cores come in the order of their numbers");
        return -1;
    }
    struct member *member = &rounds->members[rounds->count++];
    *member = (struct member){.core = core, .pcpu = pcpu, .status = MEMBER_ASLEEP, .next = NEVER, .attention = NEVER, .reason = -1};
    if (core) return 0;
    PyObject *view;
    struct ledger *ledger = ledger_in(PyTuple_GET_ITEM(rounds->kept, 1), pcpu > process ? pcpu : process, &view);
    Py_XDECREF(view); /* the first of the tuple keeps the buffer */
    if (!ledger) return -1;
    rounds->ledger = ledger;
    member->lane = &ledger->lanes[pcpu];
    member->process = &ledger->lanes[process];
    return 0;
}

/* (its memory, its shape, its first pcpu, the VM of each as it counts them) */
static int add_cluster(struct rounds *rounds, PyObject *one, PyObject *views) {
    struct woven *woven = &rounds->woven[rounds->woven_count];
    PyObject *memory, *shape, *owners, *view;
    unsigned first;
    if (!PyTuple_Check(one) || !PyArg_ParseTuple(one, "OOIO!", &memory, &shape, &first, &PyTuple_Type, &owners)) return -1;
    if (!cluster_open(&woven->weave, memory, shape, &view)) return -1;
    int kept = PyList_Append(views, view);
    Py_DECREF(view);
    if (kept) return -1;
    unsigned parties = woven->weave.shape.parties;
    if (PyTuple_GET_SIZE(owners) != (Py_ssize_t)parties || woven->weave.shape.window != rounds->window) {
        PyErr_SetString(PyExc_ValueError, "a cluster of other pcpus, or with another window");
        return -1;
    }
    for (unsigned i = 0; i < parties; i++) {
        unsigned long owner = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(owners, (Py_ssize_t)i));
        if (PyErr_Occurred()) return -1;
        if (owner >= MEMSYS_VMS) return PyErr_SetString(PyExc_ValueError, "a cluster has too many VMs"), -1;
        woven->owners[i] = (unsigned)owner;
        woven->parties[i] = rounds_member(rounds, first + i);
    }
    memsys_weave_make(&woven->weave);
    rounds->woven_count++;
    return 0;
}

static int add_clusters(struct rounds *rounds, PyObject *clusters) {
    Py_ssize_t count = PyTuple_GET_SIZE(clusters);
    if (!count) return 0;
    if (!(rounds->woven = PyMem_Calloc((size_t)count, sizeof *rounds->woven))) return PyErr_NoMemory(), -1;
    for (Py_ssize_t i = 0; i < count; i++)
        if (add_cluster(rounds, PyTuple_GET_ITEM(clusters, i), PyTuple_GET_ITEM(rounds->kept, 2))) return -1;
    return 0;
}

static int init(PyObject *self, PyObject *args, PyObject *keywords) {
    static char *names[] = {"cores", "window", "slice", "threads", "ledger", "clusters", NULL};
    struct rounds *rounds = (struct rounds *)self;
    unsigned long long window, slice;
    PyObject *cores, *ledger = Py_None, *clusters = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!KKI|OO!", names, &PyTuple_Type, &cores, &window, &slice, &rounds->threads,
                                     &ledger, &PyTuple_Type, &clusters))
        return -1;
    size_t count = (size_t)PyTuple_GET_SIZE(cores);
    if (rounds->members || !count || !window || !slice || !rounds->threads) {
        PyErr_SetString(PyExc_ValueError, "rounds of no core, or of no length");
        return -1;
    }
    rounds->window = window, rounds->slice = slice, rounds->length = slice < window ? slice : window;
    PyObject *views = PyList_New(0);
    if (!views || !(rounds->kept = PyTuple_Pack(3, cores, ledger, views))) return -1;
    Py_DECREF(views);
    if (ledger != Py_None) {
        PyObject *view = PyMemoryView_FromObject(ledger);
        if (!view || PyList_Append(views, view)) return -1;
        Py_DECREF(view);
    }
    rounds->members = PyMem_Calloc(count, sizeof *rounds->members);
    rounds->stays = PyMem_Calloc(count, sizeof *rounds->stays);
    if (!rounds->members || !rounds->stays) return PyErr_NoMemory(), -1;
    for (size_t i = 0; i < count; i++)
        if (add(rounds, PyTuple_GET_ITEM(cores, (Py_ssize_t)i))) return -1;
    if (clusters && add_clusters(rounds, clusters)) return -1;
    stays_prepare(rounds->threads);
    return 0;
}

static struct member *member_of(PyObject *self, unsigned long index) {
    struct rounds *rounds = (struct rounds *)self;
    if (index < rounds->count) return &rounds->members[index];
    PyErr_SetString(PyExc_IndexError, "no such member");
    return NULL;
}

static struct member *member_by(PyObject *self, PyObject *index) {
    unsigned long number = PyLong_AsUnsignedLong(index);
    return PyErr_Occurred() ? NULL : member_of(self, number);
}

static PyObject *go(PyObject *self, PyObject *until) {
    unsigned long long cycle = PyLong_AsUnsignedLongLong(until);
    if (PyErr_Occurred()) return NULL;
    int found = rounds_go((struct rounds *)self, cycle);
    return found == ROUNDS_ERROR ? NULL : PyLong_FromLong(found);
}

/* (why its guest was left since this was last asked, -1: it has not been entered; when it has something to do) */
static PyObject *take(PyObject *self, PyObject *index) {
    struct member *member = member_by(self, index);
    if (!member) return NULL;
    int reason = member->reason;
    member->reason = -1;
    member->mail = false;
    return Py_BuildValue("(iK)", reason, (unsigned long long)member->next);
}

/* Those with output that has not been asked for since they were last here. */
static PyObject *take_printed(PyObject *self, PyObject *unused) {
    (void)unused;
    struct rounds *rounds = (struct rounds *)self;
    PyObject *found = PyList_New(0);
    for (unsigned i = 0; found && i < rounds->count; i++) {
        if (!rounds->members[i].printed) continue;
        rounds->members[i].printed = false;
        PyObject *index = PyLong_FromUnsignedLong(i);
        if (!index || PyList_Append(found, index)) Py_CLEAR(found);
        Py_XDECREF(index);
    }
    return found;
}

static PyObject *set(PyObject *self, PyObject *const *arguments, Py_ssize_t count, bool goes_on) {
    if (count != 3) return PyErr_Format(PyExc_TypeError, "a member, its clock, and a cycle");
    struct member *member = member_by(self, arguments[0]);
    uint64_t clock = member ? PyLong_AsUnsignedLongLong(arguments[1]) : 0;
    uint64_t cycle = member ? PyLong_AsUnsignedLongLong(arguments[2]) : 0;
    if (PyErr_Occurred()) return NULL;
    if (member->status != MEMBER_GONE) rounds_turned(member, goes_on, clock, cycle);
    Py_RETURN_NONE;
}

static PyObject *ready(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    return set(self, arguments, count, true);
}

static PyObject *asleep(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    return set(self, arguments, count, false);
}

static PyObject *gone(PyObject *self, PyObject *index) {
    struct member *member = member_by(self, index);
    if (!member) return NULL;
    member->status = MEMBER_GONE;
    member->printed = false;
    member->next = NEVER;
    Py_RETURN_NONE;
}

/* Its hypervisor is to be asked at once, and its guest does not go on before. */
static PyObject *call(PyObject *self, PyObject *index) {
    struct member *member = member_by(self, index);
    if (!member) return NULL;
    if (member->status == MEMBER_GONE) Py_RETURN_NONE;
    member->status = MEMBER_CALLS;
    member->next = member->clock;
    Py_RETURN_NONE;
}

static PyObject *tell(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    if (count != 2) return PyErr_Format(PyExc_TypeError, "a member, and a cycle");
    struct member *member = member_by(self, arguments[0]);
    uint64_t due = member ? PyLong_AsUnsignedLongLong(arguments[1]) : 0;
    if (PyErr_Occurred()) return NULL;
    member->mail = true;
    rounds_tell((struct rounds *)self, member, due);
    Py_RETURN_NONE;
}

/* (member, due, source, sequence, object, event) */
static PyObject *bring(PyObject *self, PyObject *args) {
    unsigned index;
    unsigned long long due, sequence;
    struct notice notice;
    if (!PyArg_ParseTuple(args, "IKIKII", &index, &due, &notice.source, &sequence, &notice.object, &notice.event)) return NULL;
    notice.due = due, notice.sequence = sequence;
    struct member *member = member_of(self, index);
    return member ? PyBool_FromLong(rounds_bring((struct rounds *)self, member, notice)) : NULL;
}

/* (when they were due, late, the latest of these) of messages that errands brought, since it was last asked. */
static PyObject *take_delivered(PyObject *self, PyObject *unused) {
    (void)unused;
    struct delivered delivered = ((struct rounds *)self)->delivered;
    ((struct rounds *)self)->delivered = (struct delivered){0};
    return Py_BuildValue("(KKK)", (unsigned long long)delivered.exact, (unsigned long long)delivered.late, (unsigned long long)delivered.latest);
}

static PyObject *clock_of(PyObject *self, PyObject *index) {
    struct member *member = member_by(self, index);
    return member ? PyLong_FromUnsignedLongLong(member->clock) : NULL;
}

static PyObject *get_next(PyObject *self, void *unused) {
    (void)unused;
    struct rounds *rounds = (struct rounds *)self;
    uint64_t next = NEVER;
    for (unsigned i = 0; i < rounds->count; i++)
        if (rounds->members[i].next < next) next = rounds->members[i].next;
    return PyLong_FromUnsignedLongLong(next);
}

static PyObject *get_latest(PyObject *self, void *unused) {
    (void)unused;
    struct rounds *rounds = (struct rounds *)self;
    uint64_t latest = 0;
    for (unsigned i = 0; i < rounds->count; i++)
        if (rounds->members[i].clock > latest) latest = rounds->members[i].clock;
    return PyLong_FromUnsignedLongLong(latest);
}

/* Whether no core is in its guest, in any process. */
static PyObject *get_standing(PyObject *self, void *unused) {
    (void)unused;
    const struct rounds *rounds = (struct rounds *)self;
    bool standing = true;
    for (unsigned i = 0; i < rounds->count; i++)
        if (!rounds->members[i].core) standing &= atomic_load(&rounds->members[i].lane->work) == LANE_STANDS;
    return PyBool_FromLong(standing);
}

/* Between two calls of go(); the cores are saved by who has them. */
static PyObject *save(PyObject *self, PyObject *unused) {
    (void)unused;
    struct rounds *rounds = (struct rounds *)self;
    PyObject *members = PyList_New(0);
    for (unsigned i = 0; members && i < rounds->count; i++) {
        const struct member *member = &rounds->members[i];
        PyObject *saved = Py_BuildValue("[iKKKiii]", member->status, member->clock, member->next, member->attention, member->reason,
                                        member->served, member->going);
        if (!saved || PyList_Append(members, saved)) Py_CLEAR(members);
        Py_XDECREF(saved);
    }
    if (!members) return NULL;
    long alone = rounds->alone ? rounds->alone - rounds->members : -1;
    return Py_BuildValue("[iKKilN]", rounds->phase, rounds->edge, rounds->length, rounds->fought, alone, members);
}

static bool load_member(struct member *member, PyObject *saved) {
    int status, served, going;
    unsigned long long clock, next, attention;
    PyObject *fields = PyList_Check(saved) ? PyList_AsTuple(saved) : NULL;
    bool parsed = fields && PyArg_ParseTuple(fields, "iKKKiii", &status, &clock, &next, &attention, &member->reason, &served, &going);
    Py_XDECREF(fields);
    if (!parsed || status < 0 || status >= MEMBER_STATUSES) return false;
    member->status = (enum status)status;
    member->clock = clock, member->next = next, member->attention = attention;
    member->served = served, member->going = going;
    return true;
}

static PyObject *load(PyObject *self, PyObject *saved) {
    struct rounds *rounds = (struct rounds *)self;
    int phase;
    unsigned long long edge, length;
    int fought;
    long alone;
    PyObject *members, *fields = PyList_Check(saved) ? PyList_AsTuple(saved) : NULL;
    bool right = fields && PyArg_ParseTuple(fields, "iKKilO!", &phase, &edge, &length, &fought, &alone, &PyList_Type, &members) && phase >= 0 &&
                 phase < PHASES && length && length <= rounds->window && alone < (long)rounds->count &&
                 PyList_GET_SIZE(members) == (Py_ssize_t)rounds->count;
    for (unsigned i = 0; right && i < rounds->count; i++)
        right = load_member(&rounds->members[i], PyList_GET_ITEM(members, (Py_ssize_t)i));
    Py_XDECREF(fields);
    for (unsigned i = 0; right && i < rounds->woven_count; i++)
        right = rounds->woven[i].weave.shared->made && memsys_weave_plausible(&rounds->woven[i].weave);
    if (!right) {
        PyErr_SetString(PyExc_ValueError, "the state of rounds is damaged, or of other pcpus");
        return NULL;
    }
    rounds->phase = (enum phase)phase;
    rounds->edge = edge;
    rounds->length = length;
    rounds->fought = fought;
    rounds->alone = alone < 0 ? NULL : &rounds->members[alone];
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"go", go, METH_O, NULL},
    {"take", take, METH_O, NULL},
    {"ready", (PyCFunction)(void (*)(void))ready, METH_FASTCALL, NULL},
    {"asleep", (PyCFunction)(void (*)(void))asleep, METH_FASTCALL, NULL},
    {"gone", gone, METH_O, NULL},
    {"call", call, METH_O, NULL},
    {"tell", (PyCFunction)(void (*)(void))tell, METH_FASTCALL, NULL},
    {"bring", bring, METH_VARARGS, NULL},
    {"clock", clock_of, METH_O, NULL},
    {"take_delivered", take_delivered, METH_NOARGS, NULL},
    {"take_printed", take_printed, METH_NOARGS, NULL},
    {"memory_counts", rounds_memory_counts, METH_NOARGS, NULL},
    {"save", save, METH_NOARGS, NULL},
    {"load", load, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef fields[] = {
    {"next", get_next, NULL, NULL, NULL},
    {"latest", get_latest, NULL, NULL, NULL},
    {"standing", get_standing, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyObject *rounds_attend(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *ledger, *cores, *failed, *view;
    if (!PyArg_ParseTuple(args, "OO!O", &ledger, &PyTuple_Type, &cores, &failed)) return NULL;
    size_t count = (size_t)PyTuple_GET_SIZE(cores);
    struct attendance *attendance = PyMem_RawCalloc(1, sizeof *attendance);
    if (!attendance || !(attendance->cores = PyMem_RawCalloc(count + 1, sizeof(struct core *)))) return PyErr_NoMemory();
    for (; attendance->count < count; attendance->count++) {
        struct core *core = core_in(PyTuple_GET_ITEM(cores, (Py_ssize_t)attendance->count));
        if (!core) return NULL;
        attendance->cores[attendance->count] = core;
    }
    if (!count || !(attendance->ledger = ledger_in(ledger, attendance->cores[count - 1]->index, &view))) return NULL;
    Py_INCREF(cores); /* for ever, as the view, */
    attendance->failed = Py_NewRef(failed); /* and this */
    if (!stays_attend(attendance)) return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

PyTypeObject rounds_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "baonet.core." ARCH_NAME "._engine.Rounds",
    .tp_basicsize = sizeof(struct rounds),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_init = init,
    .tp_dealloc = dealloc,
    .tp_methods = methods,
    .tp_getset = fields,
};
