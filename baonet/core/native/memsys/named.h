/* Parameters as Python names them. */
#ifndef BAONET_MEMSYS_NAMED_H
#define BAONET_MEMSYS_NAMED_H

#include <stdbool.h>

#include "parameters.h"

typedef struct _object PyObject; /* as Python.h has it */

/* Of a dictionary of fields, the others as a Cortex-A53 has them; false: with an exception. */
bool memsys_take_named(PyObject *named, struct memsys_parameters *parameters);
/* The same, and a memory system can be so. */
bool memsys_take_checked(PyObject *named, struct memsys_parameters *parameters);

#endif
