/* The UARTs: what all kinds have in common, which is all but their registers. */
#ifndef BAONET_UART_H
#define BAONET_UART_H

#include "core.h"
#include "uart_state.h"

/* All of it is called with the lock of the state. The line is looked at after each access. */
struct uart_kind {
    const char *name; /* as baonet.machine.UARTS has it */
    uint64_t size;    /* of its registers, in a page of which nothing else answers */

    /* Reset values; `console`: what the machine's first UART is like when its guests start. */
    void (*start)(struct uart_state *state, bool console);

    /* Registers, by their offsets in a page. */
    uint64_t (*read)(struct uart_state *state, uint64_t offset);
    void (*write)(struct uart *uart, uint64_t offset, uint64_t value);

    /* Characters that wait come, as far as there is room. */
    void (*receive)(struct uart_state *state);

    /* The next of those that have come is read, by who has no register for that: a character, or RX_BREAK. */
    uint16_t (*take)(struct uart_state *state);

    /* Interrupts by the same bits: those that there are, and those that the guest has enabled. */
    uint32_t (*pending)(const struct uart_state *state);
    uint32_t (*enabled)(const struct uart_state *state);
};

/* A new one at `ipa` with its state in shared memory; NULL with a Python error. */
struct uart *uart_attach(struct core *core, const struct uart_kind *kind, uint64_t ipa, struct uart_state *state, uint32_t interrupt,
                         bool console);

/* Characters from outside: how many it took; a break: whether it did. */
size_t uart_input(struct uart *uart, const uint8_t *data, size_t length);
bool uart_break(struct uart *uart);

/* For a hypervisor with calls for it: sends characters, reads at most so many of those that wait, and how many those were. */
void uart_print(struct uart *uart, const uint8_t *data, size_t length);
size_t uart_typed(struct uart *uart, uint8_t *data, size_t most);

/* Makes a piece of what was sent since the last; -1: there is no memory. */
int uart_flush(struct uart *uart);

/* Whether a core's UARTs have sent what nobody has taken yet. */
bool uart_has_output(const struct core *core);

/* What was sent and is no piece yet, kept from another; -1: it is too much. */
int uart_restore(struct uart *uart, uint64_t position, const void *output, size_t length);

/* Interrupts that there are, that are enabled, and characters that wait to be read. */
void uart_examine(const struct uart *uart, uint32_t *pending, uint32_t *enabled, uint64_t *waiting);

/* For the kinds. A character is sent: */
void uart_transmit(struct uart *uart, uint8_t character);

/* In the receive FIFO; and the first of it. */
static inline uint64_t uart_held(const struct uart_state *state) { return state->rx_come - state->rx_tail; }
static inline uint16_t uart_first(const struct uart_state *state) { return state->rx[state->rx_tail % RX_CAPACITY]; }

static inline uint16_t uart_take(struct uart_state *state) {
    uint16_t *place = &state->rx[state->rx_tail++ % RX_CAPACITY], character = *place;
    *place = 0; /* nothing that was read is left, so that one state has one form */
    return character;
}

#endif
