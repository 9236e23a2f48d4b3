#include "uart_kinds.h"

#include <string.h>

#include "ns16550.h"
#include "pl011.h"

static const struct uart_kind *const kinds[] = {&pl011, &ns16550};

const struct uart_kind *uart_kind(const char *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i]->name, name)) return kinds[i];
    return NULL;
}
