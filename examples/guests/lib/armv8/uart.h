/* The console, a PL011 (Arm DDI 0183). */
#ifndef GUEST_UART_H
#define GUEST_UART_H

#include "guest.h"

#define UARTDR 0x00
#define UARTFR 0x18
#define UARTLCR_H 0x2C
#define UARTCR 0x30
#define UARTIMSC 0x38
#define UARTICR 0x44
#define FR_TXFF (1 << 5)
#define FR_RXFE (1 << 4)
#define LCR_8_BITS_FIFO 0x70
#define CR_ENABLE 0x301
#define INTERRUPT_RECEIVE 0x50 /* receive, and receive timeout */

static inline uint32_t uart_state(void) { return read32(UART_BASE + UARTFR); }
static inline bool uart_is_full(void) { return read32(UART_BASE + UARTFR) & FR_TXFF; }
static inline void uart_send(uint32_t byte) { write32(UART_BASE + UARTDR, byte); }

static inline bool uart_has_received(void) { return !(read32(UART_BASE + UARTFR) & FR_RXFE); }
static inline char uart_receive(void) { return (char)read32(UART_BASE + UARTDR); }
static inline void uart_acknowledge(void) { write32(UART_BASE + UARTICR, INTERRUPT_RECEIVE); }
static inline void uart_listen(void) {
    write32(UART_BASE + UARTLCR_H, LCR_8_BITS_FIFO);
    write32(UART_BASE + UARTCR, CR_ENABLE);
    write32(UART_BASE + UARTIMSC, INTERRUPT_RECEIVE);
}

#endif
