/* The ledger of an island, for those who have no core. */
#ifndef BAONET_TRANSFERS_H
#define BAONET_TRANSFERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "ledger.h"

/* As _node.pyi has them. */
PyObject *hand_over(PyObject *module, PyObject *args);
PyObject *write_page(PyObject *module, PyObject *args);
PyObject *fetch_page(PyObject *module, PyObject *args);
PyObject *known_time(PyObject *module, PyObject *args);

#endif
