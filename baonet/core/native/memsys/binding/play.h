/* What _memsys offers beside its types. */
#ifndef BAONET_MEMSYS_PLAY_H
#define BAONET_MEMSYS_PLAY_H

#include "memsys_types.h"

PyObject *play(PyObject *module, PyObject *args);

#endif
