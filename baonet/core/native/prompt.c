#include "prompt.h"

#include "architecture.h"
#include "clock.h"
#include "errands.h"
#include "leave.h"
#include "ringside.h"
#include "run.h"

/* Stays after which Python looks around, some 500 us, if the guest has no interrupt in hand, whose end would be Python's; and if it has. */
#define STAYS_IN_A_ROW 256
#define STAYS_AT_MOST 1024
#define NAP 1000000000u     /* nanoseconds after which it looks though nobody has rung */
#define AWAY 250000000u     /* and after which it does though others ring: some peer may have destroyed what tells of another */
#define FRAME 64            /* bytes: of the frame of a notification are less */
#define KNOWN 4

struct frame {
    unsigned peer, object, event;
    uint32_t size; /* 0: none is here */
    uint8_t bytes[FRAME];
};

struct prompt {
    const struct ringside *ringside;
    struct frame heard[KNOWN], told[KNOWN];
    unsigned heard_next, told_next;
    uint64_t began; /* since Python has looked around */
};

void prompt_clear(struct core *core) {
    PyMem_Free(core->prompt);
    core->prompt = NULL;
}

int prompt_begin(struct core *core, PyObject *ringside, PyObject *hears, PyObject *frames) {
    const struct ringside *found = PyCapsule_GetPointer(ringside, RINGSIDE_NAME);
    if (!found) return -1;
    struct prompt *prompt = core->prompt = PyMem_Calloc(1, sizeof *prompt);
    if (!prompt) return PyErr_NoMemory(), -1;
    prompt->ringside = found;
    Py_XSETREF(core->ringside, Py_NewRef(ringside));
    Py_XSETREF(core->hears, Py_NewRef(hears));
    Py_XSETREF(core->frames, Py_NewRef(frames));
    return 0;
}

void prompt_lent(struct core *core) {
    for (unsigned i = 0; core->prompt && i < KNOWN; i++) core->prompt->heard[i].size = 0;
}

/* What is at the head of a ring, `size` bytes or more than are here; NULL: it is no notification, or Python has an error. */
static const struct frame *recognise(struct core *core, unsigned peer, const uint8_t *bytes, uint32_t size) {
    struct prompt *prompt = core->prompt;
    for (struct frame *known = prompt->heard; known < prompt->heard + KNOWN; known++)
        if (known->size && known->size <= size && known->peer == peer && !memcmp(known->bytes, bytes, known->size)) return known;
    if (size > FRAME) return NULL;
    PyObject *found = PyObject_CallFunction(core->hears, "Iy#", peer, bytes, (Py_ssize_t)size);
    struct frame *place = &prompt->heard[prompt->heard_next % KNOWN];
    bool is_one = found && found != Py_None && PyArg_ParseTuple(found, "II", &place->object, &place->event);
    Py_XDECREF(found);
    place->size = 0;
    if (!is_one) return NULL;
    prompt->heard_next++;
    place->peer = peer;
    place->size = size;
    memcpy(place->bytes, bytes, size);
    return place;
}

/* The frame of a notification; NULL: it is none that is sent so, or Python has an error. */
static const struct frame *framed(struct core *core, unsigned object, unsigned event) {
    struct prompt *prompt = core->prompt;
    for (struct frame *known = prompt->told; known < prompt->told + KNOWN; known++)
        if (known->size && known->object == object && known->event == event) return known;
    PyObject *bytes = PyObject_CallFunction(core->frames, "II", object, event);
    struct frame *place = &prompt->told[prompt->told_next % KNOWN];
    place->size = 0;
    if (bytes && PyBytes_Check(bytes) && PyBytes_GET_SIZE(bytes) && PyBytes_GET_SIZE(bytes) <= FRAME) {
        prompt->told_next++;
        place->object = object, place->event = event;
        place->size = (uint32_t)PyBytes_GET_SIZE(bytes);
        memcpy(place->bytes, PyBytes_AS_STRING(bytes), place->size);
    }
    Py_XDECREF(bytes);
    return place->size ? place : NULL;
}

enum heard { HEARD_NOTHING, HEARD_ERRAND, HEARD_OTHER };

/* What rings have brought. What comes after the doorbell was answered rings again. */
static enum heard hear(struct core *core) {
    const struct ringside *ringside = core->prompt->ringside;
    uint8_t bytes[FRAME];
    unsigned peer;
    slot_answer(core->slot);
    if (ringside->called(ringside->rings)) return HEARD_OTHER;
    uint32_t size = ringside->look(ringside->rings, &peer, bytes, sizeof bytes);
    if (!size) return HEARD_NOTHING;
    if (size == RINGSIDE_OTHER || core->errands->listed) return HEARD_OTHER;
    const struct frame *frame = recognise(core, peer, bytes, size);
    if (!frame) return HEARD_OTHER;
    struct notice notice = {.source = peer, .object = frame->object, .event = frame->event};
    if (!errands_may_take(core, &notice) || !core->lent) return HEARD_OTHER;
    ringside->take(ringside->rings, peer, frame->size);
    errands_take(core, notice);
    return HEARD_ERRAND;
}

/* The guest waits for an interrupt. False: there is something else to do. */
static bool wait(struct core *core) {
    const struct ringside *ringside = core->prompt->ringside;
    for (;;) {
        if (errands_interrupted(core)) return true;
        enum heard heard = hear(core);
        if (heard != HEARD_NOTHING) return heard == HEARD_ERRAND;
        int64_t deadline = arch_deadline(core);
        if (!deadline) return true;
        uint64_t limit = deadline > 0 && deadline < NAP ? (uint64_t)deadline : NAP;
        PyThreadState *python = PyEval_SaveThread();
        bool rung = ringside->sleep(ringside->rings, limit);
        PyEval_RestoreThread(python);
        if (PyErr_CheckSignals() || (!rung && limit == NAP) || host_now() - core->prompt->began > AWAY) return false;
    }
}

/* Nobody is told before there is room for all. */
static bool notify(struct core *core, int reason, const struct notification *notification) {
    const struct ringside *ringside = core->prompt->ringside;
    const struct frame *frame = framed(core, notification->object, (uint32_t)core_x(core)[notification->event]);
    if (!frame) return false;
    for (unsigned i = 0; i < notification->targets; i++)
        if (!ringside->has_room(ringside->rings, notification->target[i].pcpu, frame->size)) return false;
    errands_answer(core, reason, notification);
    for (unsigned i = 0; i < notification->targets; i++) {
        core->errands->told++;
        core->errands->sent++;
        ringside->put(ringside->rings, notification->target[i].pcpu, frame->bytes, frame->size);
    }
    return true;
}

/* Whether the guest goes on behind what it was left for. */
static bool goes_on(struct core *core, int reason) {
    switch (reason) {
    case EXIT_BUDGET: return false;
    case EXIT_KICKED: return hear(core) != HEARD_OTHER;
    case EXIT_WFI: return wait(core);
    }
    const struct notification *notification = errands_call(core, reason);
    return notification ? notify(core, reason, notification) : errands_left(core, reason);
}

static bool is_quiet(const struct core *core) {
    const struct ringside *ringside = core->prompt->ringside;
    return core->lent && !ringside->called(ringside->rings) && errands_alone(core);
}

int prompt_run(struct core *core, int64_t budget) {
    core->prompt->began = host_now();
    for (unsigned stays = 1;; stays++) {
        int reason = core_run(core, budget);
        if (reason == EXIT_ERROR || !is_quiet(core)) return reason;
        if (stays >= (core->errands->listed ? STAYS_AT_MOST : STAYS_IN_A_ROW)) return reason;
        if (!goes_on(core, reason)) return PyErr_Occurred() ? EXIT_ERROR : reason;
    }
}
