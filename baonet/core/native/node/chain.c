/*
 * The links of records, in one pass: at windows of 1 us there may be one for every record, and with hashlib each takes 0.6 us,
 * of which the hash is a quarter.
 */
#include "chain.h"

#include <string.h>

#include "blake2b.h"

#define RECORD 32 /* bytes; its time is in front */

struct records {
    const uint8_t *at;
    size_t count;
};

static uint64_t time_of(const uint8_t *record) {
    uint64_t time;
    memcpy(&time, record, sizeof time);
    return time;
}

/* Where the window ends that a record is in. */
static unsigned __int128 end_of(const uint8_t *record, uint64_t window) {
    return ((unsigned __int128)(time_of(record) / window) + 1) * window;
}

static void close_link(uint8_t link[BLAKE2B_SIZE], struct records older, struct records rest) {
    struct blake2b hash;
    blake2b_begin(&hash);
    blake2b_add(&hash, link, BLAKE2B_SIZE);
    blake2b_add(&hash, older.at, older.count * RECORD);
    blake2b_add(&hash, rest.at, rest.count * RECORD);
    blake2b_end(&hash, link);
}

/* Closes the links that end in `added`; `open` becomes what is left of the last one from before, `added` what of these. */
static void go_on(uint8_t link[BLAKE2B_SIZE], uint64_t window, size_t most, struct records *open, struct records *added) {
    if (!added->count) return;
    unsigned __int128 end = end_of(open->count ? open->at : added->at, window);
    size_t begin = 0;
    for (size_t i = 0; i < added->count; i++) {
        const uint8_t *record = added->at + i * RECORD;
        if (time_of(record) < end && open->count + i - begin < most) continue;
        close_link(link, *open, (struct records){added->at + begin * RECORD, i - begin});
        open->count = 0;
        begin = i;
        end = end_of(record, window);
    }
    *added = (struct records){added->at + begin * RECORD, added->count - begin};
}

static PyObject *joined(struct records one, struct records other) {
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)((one.count + other.count) * RECORD));
    if (!bytes) return NULL;
    memcpy(PyBytes_AS_STRING(bytes), one.at, one.count * RECORD);
    memcpy(PyBytes_AS_STRING(bytes) + one.count * RECORD, other.at, other.count * RECORD);
    return bytes;
}

PyObject *chain(PyObject *module, PyObject *arguments) {
    (void)module;
    unsigned long long window;
    Py_ssize_t most, length, open_length, added_length;
    const char *link, *open_at, *added_at;
    if (!PyArg_ParseTuple(arguments, "Kny#y#y#", &window, &most, &link, &length, &open_at, &open_length, &added_at, &added_length))
        return NULL;
    if (!window || most < 1 || length != BLAKE2B_SIZE || open_length % RECORD || added_length % RECORD)
        return PyErr_Format(PyExc_ValueError, "no window, no link of %d bytes or a part of a record", BLAKE2B_SIZE);
    uint8_t now[BLAKE2B_SIZE];
    memcpy(now, link, sizeof now);
    struct records open = {(const uint8_t *)open_at, (size_t)open_length / RECORD};
    struct records added = {(const uint8_t *)added_at, (size_t)added_length / RECORD};
    go_on(now, window, (size_t)most, &open, &added);
    return Py_BuildValue("y#N", now, (Py_ssize_t)sizeof now, joined(open, added));
}
