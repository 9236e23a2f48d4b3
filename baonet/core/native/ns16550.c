/*
 * The UART of PCs, National Semiconductor's 16550A (PC16550D, 8.0), one byte a register. As in QEMU's model, on which guests
 * for it run, MCR's OUT2 gates no interrupt, LSR's bit 7 is always 0, and THRE's interrupt is set anew by enabling it.
 *
 * As characters take no time, the line is idle as soon as they have come: those that are too few for the trigger level have
 * been there for the character timeout at once.
 */
#include "ns16550.h"

#define FIFO_DEPTH 16u

#define IER_BITS 0x0fu
#define FCR_ENABLE 0x01u
#define FCR_CLEAR_RECEIVER 0x02u
#define FCR_CLEAR_TRANSMITTER 0x04u
#define FCR_KEPT 0xc9u
#define FCR_TRIGGER 6 /* shift of two bits */
#define LCR_DLAB 0x80u
#define MCR_DTR 0x01u
#define MCR_RTS 0x02u
#define MCR_OUT1 0x04u
#define MCR_OUT2 0x08u
#define MCR_LOOP 0x10u
#define MCR_BITS 0x1fu
#define LSR_DR 0x01u
#define LSR_OE 0x02u
#define LSR_BI 0x10u
#define LSR_THRE 0x20u
#define LSR_TEMT 0x40u
#define MSR_CTS 0x10u
#define MSR_DSR 0x20u
#define MSR_RI 0x40u
#define MSR_DCD 0x80u
#define MSR_DELTAS 4 /* shift to the bits that say of which of these that it has changed */

/* Interrupts, as IER has them. */
#define INT_RECEIVED 0x01u
#define INT_THRE 0x02u
#define INT_LINE 0x04u
#define INT_MODEM 0x08u

#define IIR_FIFOS 0xc0u
enum { IIR_MODEM = 0, IIR_NONE = 1, IIR_THRE = 2, IIR_RECEIVED = 4, IIR_LINE = 6, IIR_TIMEOUT = 0xc };

static const uint8_t triggers[4] = {1, 4, 8, 14};

static bool has_fifos(const struct uart_state *s) { return s->ns16550.fcr & FCR_ENABLE; }
static uint64_t depth(const struct uart_state *s) { return has_fifos(s) ? FIFO_DEPTH : 1; }

/* `wrong` is LSR's: a break is told when it is the next to be read. */
static void show(struct uart_state *s) {
    if (uart_held(s) && uart_first(s) & RX_BREAK) s->wrong |= LSR_BI;
}

static void receive(struct uart_state *s) {
    bool empty = !uart_held(s);
    if (s->ns16550.mcr & MCR_LOOP) return; /* the line is not connected */
    while (s->rx_come != s->rx_head && uart_held(s) < depth(s)) s->rx_come++;
    if (empty) show(s);
}

static uint16_t take(struct uart_state *s) {
    if (!uart_held(s)) return 0;
    s->wrong &= ~LSR_BI;
    uint16_t character = uart_take(s);
    show(s);
    receive(s);
    return character;
}

static void clear_receiver(struct uart_state *s) {
    for (unsigned n = 0; n < FIFO_DEPTH && uart_held(s); n++) uart_take(s);
    s->wrong &= ~LSR_BI;
}

/* In loopback what is sent is received, before what waits outside. */
static void loop(struct uart_state *s, uint8_t character) {
    uint64_t held = uart_held(s);
    if (held >= depth(s) || s->rx_head - s->rx_tail == RX_CAPACITY) {
        s->wrong |= LSR_OE;
        if (!has_fifos(s)) s->rx[(s->rx_come - 1) % RX_CAPACITY] = character;
        return;
    }
    s->rx_tail--;
    for (uint64_t n = 0; n < held; n++) s->rx[(s->rx_tail + n) % RX_CAPACITY] = s->rx[(s->rx_tail + n + 1) % RX_CAPACITY];
    s->rx[(s->rx_come - 1) % RX_CAPACITY] = character;
}

/* THRE's interrupt: the register is always empty, and that is told once, if it is to be. */
static void tell_empty(struct uart_state *s) { s->pending = s->ns16550.ier & INT_THRE; }

static uint32_t pending(const struct uart_state *s) {
    return s->pending | (uart_held(s) ? INT_RECEIVED : 0) | (s->wrong ? INT_LINE : 0) | (s->ns16550.deltas ? INT_MODEM : 0);
}
static uint32_t enabled(const struct uart_state *s) { return s->ns16550.ier; }

static uint8_t identify(const struct uart_state *s) {
    uint32_t interrupts = pending(s) & enabled(s);
    if (interrupts & INT_LINE) return IIR_LINE;
    if (interrupts & INT_RECEIVED)
        return has_fifos(s) && uart_held(s) < triggers[s->ns16550.fcr >> FCR_TRIGGER & 3] ? IIR_TIMEOUT : IIR_RECEIVED;
    if (interrupts & INT_THRE) return IIR_THRE;
    return interrupts & INT_MODEM ? IIR_MODEM : IIR_NONE;
}

/* Who is at the other end is always there; in loopback the outputs are the inputs. */
static uint32_t modem_lines(const struct uart_state *s) {
    uint32_t mcr = s->ns16550.mcr;
    if (!(mcr & MCR_LOOP)) return MSR_CTS | MSR_DSR | MSR_DCD;
    return (mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) | (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0);
}

/* Of RI it is told when it ends. */
static void set_modem(struct uart_state *s, uint32_t mcr) {
    uint32_t before = modem_lines(s);
    s->ns16550.mcr = mcr & MCR_BITS;
    uint32_t after = modem_lines(s), changed = before ^ after;
    if (after & MSR_RI) changed &= ~MSR_RI;
    s->ns16550.deltas |= changed >> MSR_DELTAS;
    receive(s);
}

static void set_fifos(struct uart_state *s, uint32_t fcr) {
    if ((fcr ^ s->ns16550.fcr) & FCR_ENABLE) fcr |= FCR_CLEAR_RECEIVER | FCR_CLEAR_TRANSMITTER;
    if (fcr & FCR_CLEAR_RECEIVER) clear_receiver(s);
    if (fcr & FCR_CLEAR_TRANSMITTER) tell_empty(s);
    s->ns16550.fcr = fcr & FCR_KEPT;
    receive(s);
}

static uint64_t read_register(struct uart_state *s, uint64_t offset) {
    bool divisor = s->ns16550.lcr & LCR_DLAB;
    uint32_t value;
    switch (offset) {
    case 0: return (divisor ? s->ns16550.divisor : take(s)) & 0xff;
    case 1: return divisor ? s->ns16550.divisor >> 8 : s->ns16550.ier;
    case 2:
        value = identify(s);
        if (value == IIR_THRE) s->pending = 0;
        return value | (has_fifos(s) ? IIR_FIFOS : 0);
    case 3: return s->ns16550.lcr;
    case 4: return s->ns16550.mcr;
    case 5:
        value = LSR_THRE | LSR_TEMT | s->wrong | (uart_held(s) ? LSR_DR : 0);
        s->wrong = 0;
        return value;
    case 6:
        value = modem_lines(s) | s->ns16550.deltas;
        s->ns16550.deltas = 0;
        return value;
    case 7: return s->ns16550.scr;
    default: return 0;
    }
}

static void write_register(struct uart *uart, uint64_t offset, uint64_t value) {
    struct uart_state *s = uart->state;
    uint32_t byte = value & 0xff, changed;
    bool divisor = s->ns16550.lcr & LCR_DLAB;
    switch (offset) {
    case 0:
        if (divisor) {
            s->ns16550.divisor = (s->ns16550.divisor & 0xff00) | byte;
            break;
        }
        if (s->ns16550.mcr & MCR_LOOP)
            loop(s, (uint8_t)byte);
        else
            uart_transmit(uart, (uint8_t)byte);
        tell_empty(s);
        break;
    case 1:
        if (divisor) {
            s->ns16550.divisor = byte << 8 | (s->ns16550.divisor & 0xff);
            break;
        }
        changed = s->ns16550.ier ^ byte;
        s->ns16550.ier = byte & IER_BITS;
        if (changed & INT_THRE) tell_empty(s);
        break;
    case 2: set_fifos(s, byte); break;
    case 3: s->ns16550.lcr = byte; break;
    case 4: set_modem(s, byte); break;
    case 7: s->ns16550.scr = byte; break;
    }
}

/* As QEMU resets it. The console has been set up by OpenSBI: 8 bits, 115200 baud from 3.6864 MHz, FIFOs. */
static void start(struct uart_state *s, bool console) {
    s->ns16550.mcr = console ? 0 : MCR_OUT2;
    s->ns16550.divisor = console ? 2 : 0x0c;
    if (!console) return;
    s->ns16550.lcr = 0x03;
    s->ns16550.fcr = FCR_ENABLE;
}

const struct uart_kind ns16550 = {"16550", 8, start, read_register, write_register, receive, take, pending, enabled};
