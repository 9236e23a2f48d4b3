/* The Python types Directory and Holder; baonet/core/_node.pyi documents them. */
#include "protocol_type.h"

#include "directory.h"
#include "holder.h"

struct directory {
    PyObject_HEAD
    struct directory_page page;
};
struct holder {
    PyObject_HEAD
    struct holder_page page;
};

static struct directory_page *home(PyObject *self) { return &((struct directory *)self)->page; }
static struct holder_page *held(PyObject *self) { return &((struct holder *)self)->page; }

static PyObject *directory_new(PyTypeObject *type, PyObject *args, PyObject *names) {
    (void)args, (void)names;
    PyObject *self = type->tp_alloc(type, 0);
    if (self) directory_begin(home(self));
    return self;
}

static PyObject *list_of(const struct says *says) {
    PyObject *list = PyList_New((Py_ssize_t)says->count);
    for (unsigned i = 0; list && i < says->count; i++) {
        const struct say *say = &says->each[i];
        PyObject *each = Py_BuildValue("OIIOO", say->kind == SAY_GRANT ? Py_True : Py_False, say->member, say->right,
                                       say->carries ? Py_True : Py_False, say->round ? Py_True : Py_False);
        if (!each) Py_CLEAR(list);
        else PyList_SET_ITEM(list, (Py_ssize_t)i, each);
    }
    return list;
}

static bool is_member(unsigned member) {
    if (member < MOST_MEMBERS) return true;
    PyErr_Format(PyExc_ValueError, "no member %u of %u", member, MOST_MEMBERS);
    return false;
}

static bool is_right(unsigned right, unsigned least) {
    if (right >= least && right <= RIGHT_WRITE) return true;
    PyErr_Format(PyExc_ValueError, "%u is no such right", right);
    return false;
}

static bool right_of(PyObject *number, unsigned least, enum right *right) {
    unsigned long found = PyLong_AsUnsignedLong(number);
    if (PyErr_Occurred() || !is_right(found > RIGHT_WRITE ? RIGHT_WRITE + 1u : (unsigned)found, least)) return false;
    *right = (enum right)found;
    return true;
}

static PyObject *want(PyObject *self, PyObject *args) {
    unsigned member, right;
    struct says says = {0};
    if (!PyArg_ParseTuple(args, "II", &member, &right) || !is_member(member) || !is_right(right, RIGHT_READ)) return NULL;
    directory_want(home(self), member, (enum right)right, &says);
    return list_of(&says);
}

static PyObject *gave(PyObject *self, PyObject *args) {
    unsigned member, right;
    struct says says = {0};
    if (!PyArg_ParseTuple(args, "II", &member, &right) || !is_member(member) || !is_right(right, RIGHT_NONE)) return NULL;
    if (!directory_gave(home(self), member, (enum right)right, &says)) Py_RETURN_NONE;
    return list_of(&says);
}

static PyObject *lost(PyObject *self, PyObject *args) {
    unsigned member;
    struct says says = {0};
    if (!PyArg_ParseTuple(args, "I", &member) || !is_member(member)) return NULL;
    directory_lost(home(self), member, &says);
    return list_of(&says);
}

static PyObject *right(PyObject *self, PyObject *args) {
    unsigned member;
    if (!PyArg_ParseTuple(args, "I", &member) || !is_member(member)) return NULL;
    return PyLong_FromLong(directory_right(home(self), member));
}

static PyObject *rests(PyObject *self, PyObject *none) {
    (void)none;
    return PyBool_FromLong(directory_rests(home(self)));
}

static PyObject *goes_round(PyObject *self, PyObject *args) {
    unsigned member;
    if (!PyArg_ParseTuple(args, "I", &member) || !is_member(member)) return NULL;
    return PyBool_FromLong(directory_goes_round(home(self), member));
}

static PyMethodDef directory_methods[] = {
    {"want", want, METH_VARARGS, NULL},
    {"gave", gave, METH_VARARGS, NULL},
    {"lost", lost, METH_VARARGS, NULL},
    {"right", right, METH_VARARGS, NULL},
    {"rests", rests, METH_NOARGS, NULL},
    {"goes_round", goes_round, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
PyTypeObject directory_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "baonet.core._node.Directory",
    .tp_basicsize = sizeof(struct directory),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = directory_new,
    .tp_methods = directory_methods,
};

static PyObject *holder_new(PyTypeObject *type, PyObject *args, PyObject *names) {
    static char *keywords[] = {"right", NULL};
    unsigned right;
    if (!PyArg_ParseTupleAndKeywords(args, names, "I", keywords, &right) || !is_right(right, RIGHT_NONE)) return NULL;
    PyObject *self = type->tp_alloc(type, 0);
    if (self) held(self)->right = (uint8_t)right;
    return self;
}

static PyObject *wants(PyObject *self, PyObject *number) {
    enum right right;
    return right_of(number, RIGHT_READ, &right) ? PyLong_FromLong(holder_want(held(self), right)) : NULL;
}

static PyObject *granted(PyObject *self, PyObject *args) {
    unsigned right;
    int round;
    if (!PyArg_ParseTuple(args, "Ip", &right, &round) || !is_right(right, RIGHT_NONE)) return NULL;
    return PyBool_FromLong(holder_granted(held(self), (enum right)right, round));
}

static PyObject *offer(PyObject *self, PyObject *none) {
    (void)none;
    return PyBool_FromLong(holder_offer(held(self)));
}

static PyObject *recalled(PyObject *self, PyObject *number) {
    enum right right;
    return right_of(number, RIGHT_NONE, &right) ? PyBool_FromLong(holder_recalled(held(self), right)) : NULL;
}

static PyObject *free_it(PyObject *self, PyObject *none) {
    (void)none;
    return PyBool_FromLong(holder_free(held(self)));
}

static PyObject *given(PyObject *self, PyObject *none) {
    (void)none;
    if (!held(self)->revoked) return PyErr_Format(PyExc_ValueError, "nothing is to be given back");
    enum right left = holder_given(held(self));
    return Py_BuildValue("IO", (unsigned)left, held(self)->carries ? Py_True : Py_False);
}

static PyObject *right_held(PyObject *self, void *none) {
    (void)none;
    return PyLong_FromLong(held(self)->right);
}

static PyMethodDef holder_methods[] = {
    {"want", wants, METH_O, NULL},
    {"granted", granted, METH_VARARGS, NULL},
    {"offer", offer, METH_NOARGS, NULL},
    {"recalled", recalled, METH_O, NULL},
    {"free", free_it, METH_NOARGS, NULL},
    {"given", given, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef holder_members[] = {{"right", right_held, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL, NULL}};
PyTypeObject holder_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "baonet.core._node.Holder",
    .tp_basicsize = sizeof(struct holder),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = holder_new,
    .tp_methods = holder_methods,
    .tp_getset = holder_members,
};
