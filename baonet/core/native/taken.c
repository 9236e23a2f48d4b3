/* From memory of C to Python's objects. What could not be made stays to be taken. */
#include "taken.h"

#include "trace.h"
#include "uart.h"

static PyObject *chunk(const struct parcel *parcel) {
    return Py_BuildValue("(y#KK)", parcel->bytes, (Py_ssize_t)parcel->length, (unsigned long long)parcel->numbers[0],
                         (unsigned long long)parcel->numbers[1]);
}

static PyObject *piece(const struct parcel *parcel) {
    return Py_BuildValue("(KKy#)", (unsigned long long)parcel->numbers[0], (unsigned long long)parcel->numbers[1],
                         parcel->bytes, (Py_ssize_t)parcel->length);
}

static PyObject *list_of(const struct parcels *parcels, PyObject *(*convert)(const struct parcel *)) {
    PyObject *list = PyList_New(0);
    for (const struct parcel *parcel = parcels->first; list && parcel; parcel = parcel->next) {
        PyObject *converted = convert(parcel);
        if (!converted || PyList_Append(list, converted)) Py_CLEAR(list);
        Py_XDECREF(converted);
    }
    return list;
}

PyObject *taken_chunks(const struct core *core) { return list_of(&core->chunks, chunk); }
PyObject *taken_pieces(const struct core *core) { return list_of(&core->pieces, piece); }

/* The chunks that are full; with True what has been recorded since as well. */
PyObject *core_take_records(PyObject *self, PyObject *all) {
    struct core *core = (struct core *)self;
    if (PyObject_IsTrue(all) && trace_cut(core)) return PyErr_NoMemory();
    PyObject *taken = taken_chunks(core);
    if (taken) parcels_clear(&core->chunks);
    return taken;
}

PyObject *core_take_output(PyObject *self, PyObject *unused) {
    (void)unused;
    struct core *core = (struct core *)self;
    for (unsigned i = 0; i < core->uart_count; i++)
        if (uart_flush(core->uarts[i])) return PyErr_NoMemory();
    PyObject *taken = taken_pieces(core);
    if (taken) parcels_clear(&core->pieces);
    return taken;
}
