/* The console, a 16550 whose registers are a byte apart. */
#ifndef GUEST_UART_H
#define GUEST_UART_H

#include "guest.h"

#define UART_DATA 0
#define UART_IER 1
#define UART_FCR 2
#define UART_LCR 3
#define UART_LSR 5
#define IER_RECEIVE 1
#define FCR_FIFO 1
#define LCR_8_BITS 3
#define LSR_RECEIVED 1
#define LSR_EMPTY 0x20

static inline uint32_t uart_state(void) { return read8(UART_BASE + UART_LSR); }
static inline bool uart_is_full(void) { return !(read8(UART_BASE + UART_LSR) & LSR_EMPTY); }
static inline void uart_send(uint32_t byte) { write8(UART_BASE + UART_DATA, (uint8_t)byte); }

static inline bool uart_has_received(void) { return read8(UART_BASE + UART_LSR) & LSR_RECEIVED; }
static inline char uart_receive(void) { return (char)read8(UART_BASE + UART_DATA); }
static inline void uart_acknowledge(void) {} /* taking does it */
static inline void uart_listen(void) {
    write8(UART_BASE + UART_FCR, FCR_FIFO);
    write8(UART_BASE + UART_LCR, LCR_8_BITS);
    write8(UART_BASE + UART_IER, IER_RECEIVE);
}

#endif
