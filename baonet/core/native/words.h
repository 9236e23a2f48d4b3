/* Numbers of a core's that Python has in view. */
#ifndef BAONET_WORDS_H
#define BAONET_WORDS_H

#include "core.h"

extern PyTypeObject words_type;

/* A view of so many numbers of 64 bits in ``core``, which is there for as long as the view; NULL with a Python error. */
PyObject *core_words(PyObject *core, void *address, Py_ssize_t count);

#endif
