/*
 * The UART, Arm PL011 (DDI 0183G). Its state is in memory that all processes of a node share, as the device is on the
 * bus that all CPUs share; a lock makes each access whole. What is sent is kept by the core that sent it, with its
 * position in the device's output, so that whoever collects it from several cores can put it in order.
 *
 * Characters take no time on the line: one that is sent has left at once, and one that waits for room in the receive
 * FIFO comes as soon as there is some, so whenever characters came the line is idle. Interrupts are set by what happens
 * and stay until the guest clears them in UARTICR or takes their cause away (2.8): UARTRXINTR and UARTRTINTR when a
 * character comes, UARTTXINTR when one has left. As in QEMU's model, on which such guests run, one character is enough
 * for UARTRXINTR whatever UARTIFLS says, and UARTCR enables nothing.
 */
#include "pl011.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "architecture.h"
#include "clock.h"
#include "events.h"
#include "leave.h"
#include "ownership.h"
#include "pl011_state.h"
#include "resident.h"
#include "rest.h"
#include "rights.h"
#include "trace.h"

#define FIFO_DEPTH 16u
#define OUT_CAPACITY 16384u

#define INT_RX 0x10u
#define INT_TX 0x20u
#define INT_RT 0x40u
#define INT_BE 0x200u
#define DR_BE 0x400u
#define FR_RXFE 0x10u
#define FR_RXFF 0x40u
#define FR_TXFE 0x80u
#define LCR_FEN 0x10u
#define RIS_BITS 0x7ffu

static bool try_lock(struct uart *uart, uint32_t *holder) {
    return atomic_compare_exchange_strong_explicit(&uart->state->lock, holder, uart->core->process,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* A process that was killed in here must not take the UART from the VMs that share it. */
static void lock(struct uart *uart) {
    uint32_t holder = 0;
    for (unsigned spins = 1; !try_lock(uart, &holder); spins++) {
        if (spins > 200) sched_yield();
        if (spins % 1024 == 0 && kill((pid_t)holder, 0) && errno == ESRCH && try_lock(uart, &holder)) return;
        holder = 0;
    }
}
static void unlock(struct uart_state *s) { atomic_store_explicit(&s->lock, 0, memory_order_release); }

/* In the receive FIFO, or in the one holding register that is left of it when FIFOs are disabled. */
static uint64_t held(const struct uart_state *s) { return s->rx_come - s->rx_tail; }
static uint64_t depth(const struct uart_state *s) { return s->lcr & LCR_FEN ? FIFO_DEPTH : 1; }

static void receive(struct uart_state *s) {
    while (s->rx_come != s->rx_head && held(s) < depth(s)) {
        s->ris |= INT_RX | INT_RT | (s->rx[s->rx_come % RX_CAPACITY] & DR_BE ? INT_BE : 0);
        s->rx_come++;
    }
}

static uint16_t take(struct uart_state *s) {
    if (!held(s)) return 0;
    uint16_t *place = &s->rx[s->rx_tail++ % RX_CAPACITY], character = *place;
    *place = 0; /* nothing that was read is left, so that one state has one form */
    s->rsr = character >> 8;
    if (!held(s)) s->ris &= ~(INT_RX | INT_RT);
    receive(s);
    return character;
}

static void update(struct uart *uart) {
    struct uart_state *s = uart->state;
    uint32_t level = (s->ris & s->imsc) != 0;
    if (level == s->level) return;
    s->level = level;
    s->sequence++;
    if (!uart->interrupt) return; /* no VM has the interrupt */
    if (level) trace(uart->core, TRACE_RAISED, uart->interrupt, FROM_LINE, clock_visible(uart->core));
    event_note(uart->core, EXIT_LINE, uart->interrupt, s->sequence << 1 | level);
}

static const uint8_t identification[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

/* Whoever asks a device changes it. */
static struct shared_page page_of(const struct uart *uart) { return (struct shared_page){uart->owner, 0, uart->segment}; }

static bool enter(struct uart *uart) { return !uart->owner || ownership_enter(uart->core, page_of(uart), true); }

/* The courier takes its state to another node while it has the lock. */
static void lock_whole(struct uart *uart) {
    for (;;) {
        lock(uart);
        if (!uart->core->residence || !uart->owner || rights_may_write(uart->owner)) break;
        unlock(uart->state);
        enter(uart);
    }
    rights_use(uart->core);
}

static uint64_t uart_read(void *uc, uint64_t offset, unsigned size, void *user) {
    (void)uc, (void)size;
    struct uart *uart = user;
    if (!enter(uart)) rest_leave(uart->core, arch_access(uart->core));
    struct uart_state *s = uart->state;
    uint64_t value = 0;
    lock_whole(uart);
    switch (offset) {
    case 0x00:
        value = take(s);
        update(uart);
        break;
    case 0x04: value = s->rsr; break;
    case 0x18: value = FR_TXFE | (held(s) ? 0 : FR_RXFE) | (held(s) >= depth(s) ? FR_RXFF : 0); break;
    case 0x20: value = s->ilpr; break;
    case 0x24: value = s->ibrd; break;
    case 0x28: value = s->fbrd; break;
    case 0x2c: value = s->lcr; break;
    case 0x30: value = s->cr; break;
    case 0x34: value = s->ifls; break;
    case 0x38: value = s->imsc; break;
    case 0x3c: value = s->ris; break;
    case 0x40: value = s->ris & s->imsc; break;
    case 0x48: value = s->dmacr; break;
    default:
        if (offset >= 0xfe0 && offset < 0x1000) value = identification[(offset - 0xfe0) / 4];
    }
    unlock(s);
    return value;
}

int uart_flush(struct uart *uart) {
    if (!uart->out_length) return 0;
    if (parcels_add(&uart->core->pieces, uart->number, uart->out_position, uart->out, uart->out_length)) return -1;
    uart->out_length = 0;
    return 0;
}

int uart_restore(struct uart *uart, uint64_t position, const void *output, size_t length) {
    if (length > OUT_CAPACITY) return -1;
    memcpy(uart->out, output, length);
    uart->out_position = position;
    uart->out_length = length;
    return 0;
}

/* For words at the end of a run, which wait for no lock. */
void uart_examine(const struct uart *uart, uint32_t *ris, uint32_t *imsc, uint64_t *waiting) {
    if (uart->owner && !uart->core->residence) resident_make(uart->core, page_of(uart));
    if (uart->core->residence) enter((struct uart *)uart), rights_use(uart->core);
    const struct uart_state *s = uart->state;
    *ris = s->ris, *imsc = s->imsc, *waiting = s->rx_head - s->rx_tail;
}

static void transmit(struct uart *uart, uint8_t byte) {
    struct uart_state *s = uart->state;
    /* Another core sent in between, or nobody has collected for long: what is there is a piece of its own. */
    bool apart = uart->out_length == OUT_CAPACITY || uart->out_position + uart->out_length != s->sent;
    if (apart && uart_flush(uart)) Py_FatalError("baonet: no memory for console output");
    if (!uart->out_length) uart->out_position = s->sent;
    uart->out[uart->out_length++] = byte;
    trace(uart->core, TRACE_CONSOLE, uart->number, s->sent, byte);
    s->sent++;
    s->ris |= INT_TX;
}

static void uart_write(void *uc, uint64_t offset, unsigned size, uint64_t value, void *user) {
    (void)uc, (void)size;
    struct uart *uart = user;
    if (!enter(uart)) rest_leave(uart->core, arch_access(uart->core));
    struct uart_state *s = uart->state;
    bool full = false;
    lock_whole(uart);
    switch (offset) {
    case 0x00:
        transmit(uart, (uint8_t)value);
        full = uart->out_length == OUT_CAPACITY;
        break;
    case 0x04: s->rsr = 0; break;
    case 0x20: s->ilpr = value & 0xff; break;
    case 0x24: s->ibrd = value & 0xffff; break;
    case 0x28: s->fbrd = value & 0x3f; break;
    case 0x2c:
        s->lcr = value & 0xff;
        receive(s);
        break;
    case 0x30: s->cr = value & 0xffff; break;
    case 0x34: s->ifls = value & 0x3f; break;
    case 0x38: s->imsc = value & RIS_BITS; break;
    case 0x44: s->ris &= ~(uint32_t)value; break;
    case 0x48: s->dmacr = value & 7; break;
    }
    update(uart);
    unlock(s);
    if (full) slot_kick(uart->core->slot, KICK_DOORBELL);
}

/* Takes as much as there is room for. */
size_t uart_input(struct uart *uart, const uint8_t *data, size_t length) {
    enter(uart);
    struct uart_state *s = uart->state;
    lock_whole(uart);
    size_t room = RX_CAPACITY - (s->rx_head - s->rx_tail);
    if (length > room) length = room;
    for (size_t i = 0; i < length; i++) s->rx[s->rx_head++ % RX_CAPACITY] = data[i];
    uint64_t first = 0;
    memcpy(&first, data, length < 8 ? length : 8);
    trace(uart->core, TRACE_INPUT, uart->number, length, first);
    receive(s);
    update(uart);
    unlock(s);
    return length;
}

/* A character of zeroes that is too long (DDI 0183, 3.3.1): recorded as it is read. */
bool uart_break(struct uart *uart) {
    enter(uart);
    struct uart_state *s = uart->state;
    lock_whole(uart);
    bool room = s->rx_head - s->rx_tail < RX_CAPACITY;
    if (room) {
        s->rx[s->rx_head++ % RX_CAPACITY] = DR_BE;
        receive(s);
        trace(uart->core, TRACE_INPUT, uart->number, 1, DR_BE);
        update(uart);
    }
    unlock(s);
    return room;
}

/* Reset values; the console has been set up by Bao, which has written to it. */
static void start(struct uart_state *s, bool console) {
    s->started = 1;
    s->cr = console ? 0x301 : 0x300;
    s->ifls = console ? 0x10 : 0x12;
    if (!console) return;
    s->ibrd = 0xa;
    s->fbrd = 0x1a;
    s->lcr = 0x60 | LCR_FEN;
    s->imsc = INT_RX | INT_RT;
    s->ris = INT_TX;
}

struct uart *uart_attach(struct core *core, uint64_t ipa, struct uart_state *state, uint32_t interrupt, bool console) {
    struct uart **uarts = PyMem_Realloc(core->uarts, (core->uart_count + 1) * sizeof(*uarts));
    if (uarts) core->uarts = uarts;
    struct uart *uart = uarts ? PyMem_Calloc(1, sizeof(*uart) + OUT_CAPACITY) : NULL;
    if (!uart) {
        PyErr_NoMemory();
        return NULL;
    }
    *uart = (struct uart){.core = core, .state = state, .number = core->uart_count, .interrupt = interrupt, .out = (uint8_t *)(uart + 1)};
    if (!state->started) start(state, console);
    int error = unicorn.mmio_map(core->uc, ipa, PAGE_SIZE, uart_read, uart, uart_write, uart);
    if (error) {
        PyMem_Free(uart);
        python_error(PyExc_ValueError, "UART at 0x%llx: %s", (unsigned long long)ipa, unicorn.strerror(error));
        return NULL;
    }
    core->uarts[core->uart_count++] = uart;
    return uart;
}
