/* Pcpus that make the accesses of traces: alone, or interleaved exactly. */
#include "play.h"

#define WORK_SHIFT 56
#define STORE ((uint64_t)1 << 55)

struct player {
    struct pcpu_object *pcpu;
    Py_buffer trace;
    uint64_t clock, position;
};

static uint64_t next_of(const struct player *player) {
    return ((const uint64_t *)player->trace.buf)[player->position % ((uint64_t)player->trace.len / 8)];
}
static uint64_t asks_at(const struct player *player) { return player->clock + (next_of(player) >> WORK_SHIFT); }

static void go(struct player *player) {
    uint64_t word = next_of(player), va = word & (STORE - 1);
    bool store = word & STORE;
    player->clock = asks_at(player);
    player->position++;
    const struct memsys_view *view = &player->pcpu->view;
    if (memsys_filtered(player->pcpu->memsys, va, 8, store)) return;
    player->pcpu->now = player->clock;
    player->clock += store ? memsys_store(view, va, 8) : memsys_load(view, va, 8);
}

static void play_until(struct player players[], unsigned count, uint64_t until) {
    while (players[0].clock < until) {
        unsigned first = 0;
        for (unsigned i = 1; i < count; i++)
            if (asks_at(&players[i]) < asks_at(&players[first])) first = i;
        go(&players[first]);
    }
}

static bool take(PyObject *item, struct player *player) {
    PyObject *pcpu, *trace;
    unsigned long long clock, position;
    if (!PyArg_ParseTuple(item, "O!OKK", &pcpu_type, &pcpu, &trace, &clock, &position)) return false;
    if (PyObject_GetBuffer(trace, &player->trace, PyBUF_SIMPLE)) return false;
    player->pcpu = (struct pcpu_object *)pcpu;
    player->clock = clock;
    player->position = position;
    if (player->trace.len >= 8) return true;
    PyBuffer_Release(&player->trace);
    PyErr_SetString(PyExc_ValueError, "an empty trace");
    return false;
}

PyObject *play(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *list, *told = NULL;
    unsigned long long until;
    struct player players[MEMSYS_PARTIES];
    unsigned count = 0;
    if (!PyArg_ParseTuple(args, "O!K", &PyList_Type, &list, &until)) return NULL;
    Py_ssize_t size = PyList_GET_SIZE(list);
    if (size < 1 || size > (Py_ssize_t)MEMSYS_PARTIES) return PyErr_Format(PyExc_ValueError, "no player, or too many");
    while (count < size && take(PyList_GET_ITEM(list, count), &players[count])) count++;
    if (count == size) {
        play_until(players, count, until);
        told = PyList_New(size);
    }
    for (unsigned i = 0; i < count; i++) {
        PyObject *one = told ? Py_BuildValue("(KK)", (unsigned long long)players[i].clock,
                                             (unsigned long long)players[i].position)
                             : NULL;
        if (told && one) PyList_SET_ITEM(told, i, one);
        else Py_CLEAR(told);
        PyBuffer_Release(&players[i].trace);
    }
    return told;
}
