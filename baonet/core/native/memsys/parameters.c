#include "parameters.h"

#include <stdbool.h>
#include <stddef.h>

const struct memsys_parameters memsys_cortex_a53 = {
#define MEMSYS_FIELD(name, value) .name = value,
    MEMSYS_PARAMETERS(MEMSYS_FIELD)
#undef MEMSYS_FIELD
};
