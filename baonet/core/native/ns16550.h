/* The UART of PCs, National Semiconductor's 16550A. */
#ifndef BAONET_NS16550_H
#define BAONET_NS16550_H

#include "uart.h"

extern const struct uart_kind ns16550;

#endif
