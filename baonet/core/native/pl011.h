/* The UART, Arm PL011. */
#ifndef BAONET_PL011_H
#define BAONET_PL011_H

#include "uart.h"

extern const struct uart_kind pl011;

#endif
