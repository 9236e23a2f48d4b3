/* Pages that are written to, or taken away, from outside the guests: ledger.h. */
#include "transfers.h"

static size_t lanes_of(const Py_buffer *ledger) {
    size_t size = (size_t)ledger->len;
    return size < sizeof(struct ledger) ? 0 : (size - sizeof(struct ledger)) / sizeof(struct lane);
}

/* The page's owner as of now lets it go, and `owner` has it if it is not NULL, as of `let_go`. Releases the buffers. */
static PyObject *change(Py_buffer *ledger, Py_buffer *entries, struct transfer transfer, const struct ownership *owner) {
    bool fits = (transfer.page + (size_t)1) * sizeof(struct ownership) <= (size_t)entries->len && lanes_of(ledger);
    if (fits) {
        struct ownership *entry = (struct ownership *)entries->buf + transfer.page;
        ledger_let_go(ledger->buf, lanes_of(ledger), entry);
        entry->owner = SHARED;
        if (owner) *entry = *owner;
        ledger_record(ledger->buf, transfer);
    }
    PyBuffer_Release(ledger);
    PyBuffer_Release(entries);
    if (!fits) return PyErr_Format(PyExc_IndexError, "no page %u", transfer.page);
    Py_RETURN_NONE;
}

/*
 * hand_over(ledger, entries, segment, page, owner, let_go): nobody keeps anything of a page, which was written to from outside,
 * or is elsewhere now.
 */
PyObject *hand_over(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer ledger, entries;
    struct transfer transfer = {.taker = SHARED, .written = true};
    unsigned short owner;
    unsigned long long let_go;
    if (!PyArg_ParseTuple(args, "w*w*HIHK", &ledger, &entries, &transfer.segment, &transfer.page, &owner, &let_go)) return NULL;
    return change(&ledger, &entries, transfer, &(struct ownership){.let_go = let_go, .owner = owner});
}

/* write(ledger, entries, segment, page): somebody outside has; its owner has let it go now, and all may read it. */
PyObject *write_page(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer ledger, entries;
    struct transfer transfer = {.taker = SHARED, .written = true};
    if (!PyArg_ParseTuple(args, "w*w*HI", &ledger, &entries, &transfer.segment, &transfer.page)) return NULL;
    return change(&ledger, &entries, transfer, NULL);
}

/* fetch(ledger, pcpu, entries, segment, page): before it is written to from outside, in the place of a core that stands. */
PyObject *fetch_page(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer ledger, entries;
    unsigned short segment;
    unsigned pcpu, page;
    if (!PyArg_ParseTuple(args, "w*Iw*HI", &ledger, &pcpu, &entries, &segment, &page)) return NULL;
    bool fits = (page + (size_t)1) * sizeof(struct ownership) <= (size_t)entries.len && pcpu < lanes_of(&ledger);
    bool here = true;
    Py_BEGIN_ALLOW_THREADS;
    if (fits && ((struct ownership *)entries.buf)[page].holder != HERE) here = ledger_fetch(ledger.buf, pcpu, segment, page);
    Py_END_ALLOW_THREADS;
    PyBuffer_Release(&ledger);
    PyBuffer_Release(&entries);
    if (!fits) return PyErr_Format(PyExc_IndexError, "no page %u, or no pcpu %u", page, pcpu);
    if (!here) return PyErr_Format(PyExc_ConnectionError, "the node's courier has ended: nobody brings page %u", page);
    Py_RETURN_NONE;
}

/* known(ledger, pcpu): the latest time that the guest of a pcpu that stands knows. */
PyObject *known_time(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer ledger;
    unsigned pcpu;
    if (!PyArg_ParseTuple(args, "w*I", &ledger, &pcpu)) return NULL;
    bool fits = pcpu < lanes_of(&ledger);
    uint64_t time = fits ? atomic_load(&((struct ledger *)ledger.buf)->lanes[pcpu].known) : 0;
    PyBuffer_Release(&ledger);
    if (!fits) return PyErr_Format(PyExc_IndexError, "no pcpu %u", pcpu);
    return PyLong_FromUnsignedLongLong(time);
}
