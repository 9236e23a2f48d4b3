/*
 * The UART, Arm PL011 (DDI 0183G). Interrupts are set by what happens and stay until the guest clears them in UARTICR or takes
 * their cause away (2.8): UARTRXINTR and UARTRTINTR when a character comes, UARTTXINTR when one has left. As in QEMU's model,
 * on which such guests run, one character is enough for UARTRXINTR whatever UARTIFLS says, and UARTCR enables nothing.
 */
#include "pl011.h"

#define FIFO_DEPTH 16u

#define INT_RX 0x10u
#define INT_TX 0x20u
#define INT_RT 0x40u
#define INT_BE 0x200u
#define FR_RXFE 0x10u
#define FR_RXFF 0x40u
#define FR_TXFE 0x80u
#define LCR_FEN 0x10u
#define RIS_BITS 0x7ffu

_Static_assert(RX_BREAK == 0x400u, "a break is waiting as UARTDR has it");

/* Of the receive FIFO, or of the one holding register that is left of it when FIFOs are disabled. */
static uint64_t depth(const struct uart_state *s) { return s->pl011.lcr & LCR_FEN ? FIFO_DEPTH : 1; }

static void receive(struct uart_state *s) {
    while (s->rx_come != s->rx_head && uart_held(s) < depth(s)) {
        s->pending |= INT_RX | INT_RT | (s->rx[s->rx_come % RX_CAPACITY] & RX_BREAK ? INT_BE : 0);
        s->rx_come++;
    }
}

/* `wrong` is UARTRSR: of the character that was read last. */
static uint16_t take(struct uart_state *s) {
    if (!uart_held(s)) return 0;
    uint16_t character = uart_take(s);
    s->wrong = character >> 8;
    if (!uart_held(s)) s->pending &= ~(INT_RX | INT_RT);
    receive(s);
    return character;
}

static const uint8_t identification[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static uint64_t read_register(struct uart_state *s, uint64_t offset) {
    switch (offset) {
    case 0x00: return take(s);
    case 0x04: return s->wrong;
    case 0x18: return FR_TXFE | (uart_held(s) ? 0 : FR_RXFE) | (uart_held(s) >= depth(s) ? FR_RXFF : 0);
    case 0x20: return s->pl011.ilpr;
    case 0x24: return s->pl011.ibrd;
    case 0x28: return s->pl011.fbrd;
    case 0x2c: return s->pl011.lcr;
    case 0x30: return s->pl011.cr;
    case 0x34: return s->pl011.ifls;
    case 0x38: return s->pl011.imsc;
    case 0x3c: return s->pending;
    case 0x40: return s->pending & s->pl011.imsc;
    case 0x48: return s->pl011.dmacr;
    default: return offset >= 0xfe0 && offset < 0x1000 ? identification[(offset - 0xfe0) / 4] : 0;
    }
}

static void write_register(struct uart *uart, uint64_t offset, uint64_t value) {
    struct uart_state *s = uart->state;
    switch (offset) {
    case 0x00:
        uart_transmit(uart, (uint8_t)value);
        s->pending |= INT_TX;
        break;
    case 0x04: s->wrong = 0; break;
    case 0x20: s->pl011.ilpr = value & 0xff; break;
    case 0x24: s->pl011.ibrd = value & 0xffff; break;
    case 0x28: s->pl011.fbrd = value & 0x3f; break;
    case 0x2c:
        s->pl011.lcr = value & 0xff;
        receive(s);
        break;
    case 0x30: s->pl011.cr = value & 0xffff; break;
    case 0x34: s->pl011.ifls = value & 0x3f; break;
    case 0x38: s->pl011.imsc = value & RIS_BITS; break;
    case 0x44: s->pending &= ~(uint32_t)value; break;
    case 0x48: s->pl011.dmacr = value & 7; break;
    }
}

static uint32_t pending(const struct uart_state *s) { return s->pending; }
static uint32_t enabled(const struct uart_state *s) { return s->pl011.imsc; }

/* The console has been set up by Bao, which has written to it. */
static void start(struct uart_state *s, bool console) {
    s->pl011.cr = console ? 0x301 : 0x300;
    s->pl011.ifls = console ? 0x10 : 0x12;
    if (!console) return;
    s->pl011.ibrd = 0xa;
    s->pl011.fbrd = 0x1a;
    s->pl011.lcr = 0x60 | LCR_FEN;
    s->pl011.imsc = INT_RX | INT_RT;
    s->pending = INT_TX;
}

const struct uart_kind pl011 = {"pl011", PAGE_SIZE, start, read_register, write_register, receive, take, pending, enabled};
