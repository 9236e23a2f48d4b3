/* The Python types Directory and Holder, with which tests drive what decides about rights to pages. */
#ifndef BAONET_PROTOCOL_TYPE_H
#define BAONET_PROTOCOL_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyTypeObject directory_type, holder_type;

#endif
