#include "lending.h"

#include "construct.h"
#include "errands.h"
#include "prompt.h"

void lending_clear(struct core *core) {
    if (core->errands) PyMem_Free(core->errands->notifications);
    PyMem_Free(core->errands);
    core->errands = NULL;
    core->lent = false;
    prompt_clear(core);
}

static bool parse(struct notification *notification, PyObject *one) {
    PyObject *call, *targets;
    if (!PyTuple_Check(one) ||
        !PyArg_ParseTuple(one, "O!IIO!", &PyTuple_Type, &call, &notification->event, &notification->object, &PyTuple_Type, &targets))
        return false;
    notification->targets = (unsigned)PyTuple_GET_SIZE(targets);
    if (!parse_answer(&notification->call, call) || notification->event >= ARCH_REGISTERS || notification->targets > ERRAND_TARGETS)
        return false;
    for (unsigned i = 0; i < notification->targets; i++)
        notification->target[i].pcpu = (unsigned)PyLong_AsUnsignedLong(PyTuple_GET_ITEM(targets, i));
    return !PyErr_Occurred();
}

/* -1: Python has an error. */
static int begin(struct core *core, PyObject *notifications, PyObject *expects, PyObject *take_back) {
    size_t count = (size_t)PyTuple_GET_SIZE(notifications);
    struct errands *errands = core->errands = PyMem_Calloc(1, sizeof *errands);
    if (!errands || !(errands->notifications = PyMem_Calloc(count + 1, sizeof *errands->notifications))) return PyErr_NoMemory(), -1;
    for (; errands->count < count; errands->count++) {
        if (parse(&errands->notifications[errands->count], PyTuple_GET_ITEM(notifications, errands->count))) continue;
        lending_clear(core);
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "what are no notifications");
        return -1;
    }
    Py_XSETREF(core->expects, Py_NewRef(expects));
    Py_XSETREF(core->take_back, Py_NewRef(take_back));
    return 0;
}

/* (notifications, number, latency, cost, expects, take_back) */
PyObject *core_run_errands(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    PyObject *notifications, *expects, *take_back;
    unsigned number, cost;
    unsigned long long latency;
    if (!PyArg_ParseTuple(args, "O!IKIOO", &PyTuple_Type, &notifications, &number, &latency, &cost, &expects, &take_back)) return NULL;
    if (!core->hz || core->errands || cost >= COSTS) {
        PyErr_SetString(PyExc_ValueError, "no errands: they are of virtual time, there are some, or what they cost is unknown");
        return NULL;
    }
    if (begin(core, notifications, expects, take_back)) return NULL;
    core->errands->number = number, core->errands->cost = cost, core->errands->latency = latency;
    Py_RETURN_NONE;
}

/* (notifications, expects, take_back, ringside, hears, frames) */
PyObject *core_run_errands_promptly(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    PyObject *notifications, *expects, *take_back, *ringside, *hears, *frames;
    if (!PyArg_ParseTuple(args, "O!OOOOO", &PyTuple_Type, &notifications, &expects, &take_back, &ringside, &hears, &frames)) return NULL;
    if (core->hz || core->errands || core->records || core->residence) {
        PyErr_SetString(PyExc_ValueError, "no errands: there are some, or they are of virtual time, are recorded, or go to other nodes");
        return NULL;
    }
    if (begin(core, notifications, expects, take_back)) return NULL;
    if (prompt_begin(core, ringside, hears, frames)) {
        lending_clear(core);
        return NULL;
    }
    Py_RETURN_NONE;
}

/* (waiting, interrupted, sent, channels): until when channels are taken, by the pcpu. */
PyObject *core_lend(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    struct errands *errands = core->errands;
    int waiting, interrupted;
    unsigned long long sent;
    PyObject *channels;
    if (!PyArg_ParseTuple(args, "ppKO!", &waiting, &interrupted, &sent, &PyDict_Type, &channels)) return NULL;
    if (!errands) return PyErr_Format(PyExc_RuntimeError, "this core runs no errands");
    for (unsigned i = 0; i < errands->count; i++) {
        for (unsigned j = 0; j < errands->notifications[i].targets; j++) {
            PyObject *pcpu = PyLong_FromUnsignedLong(errands->notifications[i].target[j].pcpu);
            PyObject *free = pcpu ? PyDict_GetItemWithError(channels, pcpu) : NULL;
            Py_XDECREF(pcpu);
            errands->notifications[i].target[j].free = free ? PyLong_AsUnsignedLongLong(free) : 0;
            if (PyErr_Occurred()) return NULL;
        }
    }
    errands->waiting = waiting, errands->interrupted = interrupted, errands->sent = sent;
    errands->expected = (struct expected){0};
    prompt_lent(core);
    core->lent = true;
    Py_RETURN_NONE;
}

static PyObject *notice(const struct notice *notice) {
    return Py_BuildValue("(KIKII)", (unsigned long long)notice->due, notice->source, (unsigned long long)notice->sequence, notice->object,
                         notice->event);
}

static PyObject *queue(struct errands *errands) {
    PyObject *list = PyList_New(0);
    for (unsigned i = 0; list && i < errands->queued; i++) {
        PyObject *one = notice(&errands->queue[i]);
        if (!one || PyList_Append(list, one)) Py_CLEAR(list);
        Py_XDECREF(one);
    }
    errands->queued = 0;
    return list;
}

static PyObject *exits(const struct errands *errands) {
    PyObject *list = PyList_New(0);
    for (int i = 0; list && i < EXIT_ERROR; i++) {
        PyObject *one = errands->exits[i] ? Py_BuildValue("(iK)", i, (unsigned long long)errands->exits[i]) : NULL;
        if (errands->exits[i] && (!one || PyList_Append(list, one))) Py_CLEAR(list);
        Py_XDECREF(one);
    }
    return list;
}

/* A target may be that of several notifications, which share its channel: the latest counts. */
static PyObject *channels(const struct errands *errands) {
    PyObject *list = PyList_New(0);
    for (unsigned i = 0; list && i < errands->count; i++) {
        const struct notification *each = &errands->notifications[i];
        for (unsigned j = 0; list && j < each->targets; j++) {
            if (!each->target[j].free) continue;
            PyObject *one = Py_BuildValue("(IK)", each->target[j].pcpu, (unsigned long long)each->target[j].free);
            if (!one || PyList_Append(list, one)) Py_CLEAR(list);
            Py_XDECREF(one);
        }
    }
    return list;
}

/* What has come; and where it was lent what has been done, None otherwise. Until caught_up() nothing is recorded if some is held. */
PyObject *core_take_back(PyObject *self, PyObject *unused) {
    (void)unused;
    struct core *core = (struct core *)self;
    struct errands *errands = core->errands;
    if (!errands || (!core->lent && !errands->queued)) Py_RETURN_NONE;
    PyObject *done = Py_None, *held = Py_None;
    if (core->lent) {
        core->lent = false;
        core->catches_up = errands->listed;
        if (errands->listed && !(held = notice(&errands->held))) return NULL;
        done = Py_BuildValue("(NNKKKNNN)", PyBool_FromLong(errands->waiting), PyBool_FromLong(errands->interrupted),
                             (unsigned long long)errands->sent, (unsigned long long)errands->told, (unsigned long long)errands->heard,
                             exits(errands), channels(errands), held == Py_None ? Py_NewRef(held) : held);
        errands->told = errands->heard = 0;
        memset(errands->exits, 0, sizeof errands->exits);
        errands->listed = false;
    } else {
        Py_INCREF(done);
    }
    return Py_BuildValue("(NN)", queue(errands), done);
}

PyObject *core_caught_up(PyObject *self, PyObject *unused) {
    (void)unused;
    ((struct core *)self)->catches_up = false;
    Py_RETURN_NONE;
}
