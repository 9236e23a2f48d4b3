/* Pages that are written to, or taken away, from outside the guests: ledger.h. */
#include "transfers.h"

/*
 * hand_over(ledger, entries, segment, page, owner, let_go): nobody keeps anything of a page, which was written to from outside,
 * or is elsewhere now.
 */
PyObject *hand_over(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer ledger, entries;
    unsigned short segment, owner;
    unsigned page;
    unsigned long long let_go;
    if (!PyArg_ParseTuple(args, "w*w*HIHK", &ledger, &entries, &segment, &page, &owner, &let_go)) return NULL;
    bool fits = (page + (size_t)1) * sizeof(struct ownership) <= (size_t)entries.len && (size_t)ledger.len >= sizeof(struct ledger);
    if (fits) {
        ((struct ownership *)entries.buf)[page] = (struct ownership){.let_go = let_go, .owner = owner};
        ledger_record(ledger.buf, (struct transfer){.page = page, .segment = segment, .taker = SHARED, .written = true});
    }
    PyBuffer_Release(&ledger);
    PyBuffer_Release(&entries);
    if (!fits) return PyErr_Format(PyExc_IndexError, "no page %u", page);
    Py_RETURN_NONE;
}

/* write(ledger, entries, segment, page): somebody outside has; its owner has let it go now, and all may read it. */
PyObject *write_page(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer ledger, entries;
    unsigned short segment;
    unsigned page;
    if (!PyArg_ParseTuple(args, "w*w*HI", &ledger, &entries, &segment, &page)) return NULL;
    bool fits = (page + (size_t)1) * sizeof(struct ownership) <= (size_t)entries.len && (size_t)ledger.len >= sizeof(struct ledger);
    if (fits) {
        struct ownership *entry = (struct ownership *)entries.buf + page;
        if (entry->owner != SHARED) entry->let_go = atomic_load(&((struct ledger *)ledger.buf)->lanes[entry->owner - 1].visible);
        entry->owner = SHARED;
        ledger_record(ledger.buf, (struct transfer){.page = page, .segment = segment, .taker = SHARED, .written = true});
    }
    PyBuffer_Release(&ledger);
    PyBuffer_Release(&entries);
    if (!fits) return PyErr_Format(PyExc_IndexError, "no page %u", page);
    Py_RETURN_NONE;
}

/* visible(ledger, pcpu): the latest time that the guest of a pcpu that stands can have seen. */
PyObject *visible_time(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer ledger;
    unsigned pcpu;
    if (!PyArg_ParseTuple(args, "w*I", &ledger, &pcpu)) return NULL;
    bool fits = sizeof(struct ledger) + (pcpu + (size_t)1) * sizeof(struct lane) <= (size_t)ledger.len;
    uint64_t time = fits ? atomic_load(&((struct ledger *)ledger.buf)->lanes[pcpu].visible) : 0;
    PyBuffer_Release(&ledger);
    if (!fits) return PyErr_Format(PyExc_IndexError, "no pcpu %u", pcpu);
    return PyLong_FromUnsignedLongLong(time);
}
