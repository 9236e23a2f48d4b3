/*
 * The Python types Keys and Link. A link shakes hands and says its first words while Python looks on, which waits for its socket;
 * then a courier has it.
 */
#include "link_type.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls.h"

struct keys_object {
    PyObject_HEAD
    struct tls_keys *keys;
};
struct link_object {
    PyObject_HEAD
    struct link link;
    PyObject *keys; /* NULL: in the clear */
};

static PyObject *refused(const struct tls_error *error) {
    PyObject *arguments = Py_BuildValue("(sl)", error->reason, error->verify);
    if (arguments) PyErr_SetObject(PyExc_ValueError, arguments);
    Py_XDECREF(arguments);
    return NULL;
}

static int keys_init(PyObject *self, PyObject *args, PyObject *keywords) {
    struct keys_object *object = (struct keys_object *)self;
    static char *names[] = {"library", "ca", "certificate", "key", NULL};
    PyObject *paths[4] = {NULL};
    struct tls_error error = {0};
    if (object->keys) return PyErr_SetString(PyExc_RuntimeError, "keys are read once"), -1;
    if (PyArg_ParseTupleAndKeywords(args, keywords, "O&O&O&O&", names, PyUnicode_FSConverter, &paths[0], PyUnicode_FSConverter, &paths[1],
                                    PyUnicode_FSConverter, &paths[2], PyUnicode_FSConverter, &paths[3])) {
        object->keys = tls_keys_of(PyBytes_AS_STRING(paths[0]), PyBytes_AS_STRING(paths[1]), PyBytes_AS_STRING(paths[2]),
                                   PyBytes_AS_STRING(paths[3]), &error);
        if (!object->keys) refused(&error);
    }
    for (unsigned i = 0; i < 4; i++) Py_XDECREF(paths[i]);
    return object->keys ? 0 : -1;
}

static void keys_dealloc(PyObject *self) {
    tls_keys_free(((struct keys_object *)self)->keys);
    Py_TYPE(self)->tp_free(self);
}

PyTypeObject keys_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "baonet.core._node.Keys",
    .tp_basicsize = sizeof(struct keys_object),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_init = keys_init,
    .tp_dealloc = keys_dealloc,
};

static int link_init(PyObject *self, PyObject *args, PyObject *keywords) {
    struct link_object *object = (struct link_object *)self;
    static char *names[] = {"descriptor", "keys", "called", NULL};
    int fd, called = 0;
    PyObject *keys = Py_None;
    if (object->link.fd >= 0) return PyErr_SetString(PyExc_RuntimeError, "a link is made once"), -1;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "i|O$p", names, &fd, &keys, &called)) return -1;
    if (keys != Py_None && !PyObject_TypeCheck(keys, &keys_type)) return PyErr_SetString(PyExc_TypeError, "keys are of Keys"), -1;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK)) return PyErr_SetFromErrno(PyExc_OSError), -1;
    if (keys != Py_None) {
        struct tls_keys *read = ((struct keys_object *)keys)->keys;
        if (!read || !(object->link.tls = tls_of(read, fd, called))) return PyErr_NoMemory(), -1;
        object->keys = Py_NewRef(keys);
    }
    object->link.fd = fd;
    return 0;
}

static PyObject *link_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    PyObject *self = PyType_GenericNew(type, args, keywords);
    if (self) ((struct link_object *)self)->link.fd = -1;
    return self;
}

static void free_link(struct link_object *object) {
    link_free(&object->link);
    Py_CLEAR(object->keys);
}

static void link_dealloc(PyObject *self) {
    free_link((struct link_object *)self);
    Py_TYPE(self)->tp_free(self);
}

static struct link_object *open_link(PyObject *self) {
    struct link_object *object = (struct link_object *)self;
    if (object->link.fd >= 0) return object;
    errno = EBADF;
    PyErr_SetFromErrno(PyExc_OSError);
    return NULL;
}

PyObject *link_give(PyObject *self, struct link *link) {
    struct link_object *object = open_link(self);
    if (!object) return NULL;
    PyObject *needed = object->keys ? object->keys : Py_NewRef(Py_None);
    *link = object->link;
    link->hidden = link->tls && tls_pending(link->tls);
    object->link = (struct link){.fd = -1};
    object->keys = NULL;
    return needed;
}

static PyObject *shake(PyObject *self, PyObject *none) {
    struct link_object *object = open_link(self);
    struct tls_error error = {0};
    (void)none;
    if (!object) return NULL;
    enum tls_progress found = object->link.tls ? tls_shake(object->link.tls, &error) : TLS_DONE;
    if (found == TLS_WRONG || found == TLS_ENDED) return refused(&error);
    return PyLong_FromLong(found);
}

static PyObject *subject(PyObject *self, PyObject *none) {
    struct link_object *object = open_link(self);
    char name[256], unit[64];
    (void)none;
    if (!object || !object->link.tls) return object ? PyErr_Format(PyExc_LookupError, "a link without keys") : NULL;
    bool named = tls_subject(object->link.tls, TLS_NAME, name, sizeof name), has = tls_subject(object->link.tls, TLS_UNIT, unit, sizeof unit);
    return Py_BuildValue("(yy)", named ? name : "", has ? unit : "");
}

/* At most so many bytes; None: nothing has come yet. */
static PyObject *read_some(PyObject *self, PyObject *size) {
    struct link_object *object = open_link(self);
    size_t most = object ? PyLong_AsSize_t(size) : 0, come = 0;
    uint8_t room[256];
    if (!object || PyErr_Occurred()) return NULL;
    if (most > sizeof room) most = sizeof room;
    enum tls_progress found;
    if (object->link.tls) {
        found = tls_read(object->link.tls, room, most, &come);
    } else {
        ssize_t taken = recv(object->link.fd, room, most, MSG_DONTWAIT);
        found = taken > 0 ? TLS_DONE : taken < 0 && (errno == EAGAIN || errno == EINTR) ? TLS_READS : TLS_ENDED;
        come = taken > 0 ? (size_t)taken : 0;
    }
    if (found == TLS_READS || found == TLS_WRITES) Py_RETURN_NONE;
    if (found == TLS_WRONG) {
        struct tls_error error = {0};
        tls_explain(object->link.tls, &error);
        return refused(&error);
    }
    return PyBytes_FromStringAndSize((char *)room, found == TLS_DONE ? (Py_ssize_t)come : 0);
}

/* It goes as soon as there is room. */
static PyObject *say(PyObject *self, PyObject *args) {
    struct link_object *object = open_link(self);
    Py_buffer data;
    if (!object || !PyArg_ParseTuple(args, "y*", &data)) return NULL;
    bool added = bytes_add(&object->link.out, data.buf, (size_t)data.len), open = added && link_flush(&object->link);
    PyBuffer_Release(&data);
    return added ? PyBool_FromLong(open) : PyErr_NoMemory();
}

static PyObject *descriptor(PyObject *self, PyObject *none) {
    struct link_object *object = open_link(self);
    (void)none;
    return object ? PyLong_FromLong(object->link.fd) : NULL;
}

static PyObject *close_link(PyObject *self, PyObject *none) {
    (void)none;
    free_link((struct link_object *)self);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"fileno", descriptor, METH_NOARGS, NULL},
    {"shake", shake, METH_NOARGS, NULL},
    {"subject", subject, METH_NOARGS, NULL},
    {"read", read_some, METH_O, NULL},
    {"say", say, METH_VARARGS, NULL},
    {"close", close_link, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
PyTypeObject link_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "baonet.core._node.Link",
    .tp_basicsize = sizeof(struct link_object),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = link_new,
    .tp_init = link_init,
    .tp_dealloc = link_dealloc,
    .tp_methods = methods,
};
