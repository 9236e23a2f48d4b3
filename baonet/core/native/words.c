/*
 * Numbers of a core's that Python has in view. Of a view, Python knows whom it is of by the buffer that it was made of: that
 * is this type's, and has the core. Who has a core often has its views as well, and the core has who it calls: so the
 * collector of circles must see through it. What is cleared then is whom the core calls.
 */
#include "words.h"

#include "architecture.h"

struct words {
    PyObject_HEAD
    PyObject *core;
    void *address;
    Py_ssize_t count, stride;
};

static int words_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(((struct words *)self)->core);
    return 0;
}

static void words_dealloc(PyObject *self) {
    PyObject_GC_UnTrack(self);
    Py_DECREF(((struct words *)self)->core);
    PyObject_GC_Del(self);
}

static int words_buffer(PyObject *self, Py_buffer *view, int flags) {
    (void)flags; /* views ask for all there is */
    struct words *words = (struct words *)self;
    *view = (Py_buffer){.buf = words->address, .obj = Py_NewRef(self), .len = words->count * words->stride,
                        .itemsize = words->stride, .ndim = 1, .format = "Q", .shape = &words->count,
                        .strides = &words->stride};
    return 0;
}

static PyBufferProcs words_procs = {.bf_getbuffer = words_buffer};
PyTypeObject words_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "baonet.core." ARCH_NAME "._engine.Words",
    .tp_basicsize = sizeof(struct words),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = words_dealloc,
    .tp_traverse = words_traverse,
    .tp_as_buffer = &words_procs,
};

PyObject *core_words(PyObject *core, void *address, Py_ssize_t count) {
    struct words *words = PyObject_GC_New(struct words, &words_type);
    if (!words) return NULL;
    words->core = Py_NewRef(core);
    words->address = address;
    words->count = count;
    words->stride = sizeof(uint64_t);
    PyObject_GC_Track(words);
    PyObject *view = PyMemoryView_FromObject((PyObject *)words);
    Py_DECREF(words);
    return view;
}
