/* The UART, Arm PL011. */
#ifndef BAONET_PL011_H
#define BAONET_PL011_H

#include "core.h"

/* A new one at `ipa` with its state in shared memory; NULL with a Python error. */
struct uart *uart_attach(struct core *core, uint64_t ipa, struct uart_state *state, uint32_t interrupt, bool console);

/* Characters from outside: how many it took; a break: whether it did. */
size_t uart_input(struct uart *uart, const uint8_t *data, size_t length);
bool uart_break(struct uart *uart);

/* Makes a piece of what was sent since the last; -1: there is no memory. */
int uart_flush(struct uart *uart);

/* What was sent and is no piece yet, kept from another; -1: it is too much. */
int uart_restore(struct uart *uart, uint64_t position, const void *output, size_t length);

/* UARTRIS, UARTIMSC, characters that wait to be read. */
void uart_examine(const struct uart *uart, uint32_t *ris, uint32_t *imsc, uint64_t *waiting);

#endif
