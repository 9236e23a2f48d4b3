/* The Python type Offset; baonet/core/_node.pyi documents it. */
#include "offset_type.h"

#include "offset.h"

#define MOST_TIME (UINT64_C(1) << 62)

struct offset_object {
    PyObject_HEAD
    struct offset offset;
    uint64_t last;
};

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    if (!PyArg_ParseTuple(args, "") || (keywords && PyDict_GET_SIZE(keywords))) return NULL;
    struct offset_object *made = (struct offset_object *)type->tp_alloc(type, 0);
    if (made) offset_begin(&made->offset);
    return (PyObject *)made;
}

static PyObject *told(const struct offset_object *object, uint64_t time) {
    struct offset_estimate found = offset_at(&object->offset, time);
    return Py_BuildValue("(LdL)", (long long)found.offset, found.drift, (long long)found.error);
}

static PyObject *feed(PyObject *self, PyObject *args) {
    struct offset_object *object = (struct offset_object *)self;
    unsigned long long sent, theirs, received;
    if (!PyArg_ParseTuple(args, "KKK", &sent, &theirs, &received)) return NULL;
    if (received < sent || received < object->last || theirs >= MOST_TIME || received >= MOST_TIME)
        return PyErr_Format(PyExc_ValueError, "an answer before its question, before another answer, or too late");
    object->last = received;
    offset_feed(&object->offset, sent, theirs, received);
    return told(object, received);
}

static PyObject *at(PyObject *self, PyObject *time) {
    struct offset_object *object = (struct offset_object *)self;
    unsigned long long moment = PyLong_AsUnsignedLongLong(time);
    if (PyErr_Occurred()) return NULL;
    if (!object->offset.answers || moment < object->last || moment >= MOST_TIME)
        return PyErr_Format(PyExc_ValueError, "before the first answer or the last, or too late");
    return told(object, moment);
}

static void dealloc(PyObject *self) { Py_TYPE(self)->tp_free(self); }

static PyMethodDef methods[] = {
    {"feed", feed, METH_VARARGS, NULL},
    {"at", at, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
PyTypeObject offset_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "baonet.core._node.Offset",
    .tp_basicsize = sizeof(struct offset_object),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = new,
    .tp_dealloc = dealloc,
    .tp_methods = methods,
};
