/* Which kinds of UART there are. */
#ifndef BAONET_UART_KINDS_H
#define BAONET_UART_KINDS_H

#include "uart.h"

/* NULL: there is none of that name. */
const struct uart_kind *uart_kind(const char *name);

#endif
