/* What a courier tells when it is asked: what it has passed on, how well its clocks agree, which pages came most often. */
#include "courier_told.h"

#include <string.h>

#include "courier.h"
#include "timing.h"

PyObject *courier_statistics(PyObject *self, PyObject *none) {
    struct courier *courier = (struct courier *)self;
    (void)none;
    uint64_t bytes = 0;
    for (unsigned i = 0; i < courier->peer_count; i++) bytes += courier->peers[i].link.sent;
    return Py_BuildValue("{sKsKsKsKsK}", "held", (unsigned long long)courier->held, "brought", (unsigned long long)courier->brought, "given", (unsigned long long)courier->given,
                         "orders", (unsigned long long)courier->orders, "bytes", (unsigned long long)bytes);
}

/* Whether time can be told here, of all islands that are under the host's clock. */
PyObject *courier_synchronised(PyObject *self, PyObject *none) {
    const struct courier *courier = (struct courier *)self;
    (void)none;
    for (unsigned i = 0; i < courier->part_count; i++)
        if (courier->parts[i].timing && !atomic_load(&courier->parts[i].timing->known)) Py_RETURN_FALSE;
    Py_RETURN_TRUE;
}

/* (island, offset, drift, error) of those whose home is another node. */
PyObject *courier_clocks(PyObject *self, PyObject *none) {
    const struct courier *courier = (struct courier *)self;
    PyObject *list = PyList_New(0);
    (void)none;
    for (unsigned i = 0; list && i < courier->part_count; i++) {
        const struct part *part = &courier->parts[i];
        if (!part->timing || part->home == courier->node || !atomic_load(&part->timing->known)) continue;
        PyObject *each = Py_BuildValue("(ILLL)", part->number, (long long)atomic_load(&part->ledger->offset),
                                       (long long)atomic_load(&part->timing->drift), (long long)atomic_load(&part->timing->error));
        if (!each || PyList_Append(list, each)) Py_CLEAR(list);
        Py_XDECREF(each);
    }
    return list;
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
PyObject *courier_hottest(PyObject *self, PyObject *none) {
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
