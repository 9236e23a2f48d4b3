/*
 * The UART, Arm PL011 (DDI 0183). Its state is in memory that all processes of a node share, as the device is on the
 * bus that all CPUs share; a lock makes each access whole. What is sent is kept by the core that sent it, with its
 * position in the device's output, so that whoever collects it from several cores can put it in order.
 */
#include "engine.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

#define RX_CAPACITY 65536u
#define FIFO_DEPTH 16u
const size_t uart_out_capacity = 16384;

struct uart_state {
    _Atomic uint32_t lock; /* the process that holds it, or 0 */
    uint32_t ibrd, fbrd, lcr, cr, ifls, imsc, dmacr, ilpr;
    uint32_t tx_interrupt; /* RIS bit 5: set by a sent byte, cleared by ICR */
    uint32_t level;
    uint64_t sequence; /* of changes of the interrupt line */
    uint64_t sent;
    uint64_t rx_head, rx_tail;
    uint8_t rx[RX_CAPACITY];
};
size_t uart_state_size(void) { return sizeof(struct uart_state); }

#define INT_RX 0x10u
#define INT_TX 0x20u
#define INT_RT 0x40u
#define FR_RXFE 0x10u
#define FR_RXFF 0x40u
#define FR_TXFE 0x80u

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

static uint64_t waiting(const struct uart_state *s) { return s->rx_head - s->rx_tail; }
static uint32_t raw(const struct uart_state *s) {
    return (waiting(s) ? INT_RX | INT_RT : 0) | (s->tx_interrupt ? INT_TX : 0);
}

static void update(struct uart *uart) {
    struct uart_state *s = uart->state;
    uint32_t level = (raw(s) & s->imsc) != 0;
    if (level == s->level) return;
    s->level = level;
    s->sequence++;
    uart->moved = uart->intid != 0; /* 0: no VM has the interrupt */
}

/* sequence << 1 | level */
uint64_t uart_line(struct uart *uart) {
    struct uart_state *s = uart->state;
    lock(uart);
    uint64_t line = s->sequence << 1 | s->level;
    unlock(s);
    return line;
}

static const uint8_t identification[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static uint64_t uart_read(void *uc, uint64_t offset, unsigned size, void *user) {
    (void)uc, (void)size;
    struct uart *uart = user;
    struct uart_state *s = uart->state;
    uint64_t value = 0;
    lock(uart);
    switch (offset) {
    case 0x00:
        if (waiting(s)) value = s->rx[s->rx_tail++ % RX_CAPACITY];
        update(uart);
        break;
    case 0x18: value = FR_TXFE | (waiting(s) ? 0 : FR_RXFE) | (waiting(s) >= FIFO_DEPTH ? FR_RXFF : 0); break;
    case 0x20: value = s->ilpr; break;
    case 0x24: value = s->ibrd; break;
    case 0x28: value = s->fbrd; break;
    case 0x2c: value = s->lcr; break;
    case 0x30: value = s->cr; break;
    case 0x34: value = s->ifls; break;
    case 0x38: value = s->imsc; break;
    case 0x3c: value = raw(s); break;
    case 0x40: value = raw(s) & s->imsc; break;
    case 0x48: value = s->dmacr; break;
    default:
        if (offset >= 0xfe0 && offset < 0x1000) value = identification[(offset - 0xfe0) / 4];
    }
    unlock(s);
    if (uart->moved) slot_kick(uart->core->slot, KICK_DOORBELL);
    return value;
}

void uart_flush(struct uart *uart) {
    if (!uart->out_length) return;
    PyObject *piece =
        Py_BuildValue("(IKy#)", uart->number, uart->out_position, uart->out, (Py_ssize_t)uart->out_length);
    if (!piece || PyList_Append(uart->core->pieces, piece)) Py_FatalError("baonet: no memory for console output");
    Py_DECREF(piece);
    uart->out_length = 0;
}

static void transmit(struct uart *uart, uint8_t byte) {
    struct uart_state *s = uart->state;
    /* Another core sent in between, or nobody has collected for long: what is there is a piece of its own. */
    if (uart->out_length == uart_out_capacity || uart->out_position + uart->out_length != s->sent) uart_flush(uart);
    if (!uart->out_length) uart->out_position = s->sent;
    uart->out[uart->out_length++] = byte;
    trace(uart->core, TRACE_CONSOLE, uart->number, s->sent, byte);
    s->sent++;
    s->tx_interrupt = 1;
}

static void uart_write(void *uc, uint64_t offset, unsigned size, uint64_t value, void *user) {
    (void)uc, (void)size;
    struct uart *uart = user;
    struct uart_state *s = uart->state;
    bool full = false;
    lock(uart);
    switch (offset) {
    case 0x00:
        transmit(uart, (uint8_t)value);
        full = uart->out_length == uart_out_capacity;
        break;
    case 0x20: s->ilpr = value & 0xff; break;
    case 0x24: s->ibrd = value & 0xffff; break;
    case 0x28: s->fbrd = value & 0x3f; break;
    case 0x2c: s->lcr = value & 0xff; break;
    case 0x30: s->cr = value & 0xffff; break;
    case 0x34: s->ifls = value & 0x3f; break;
    case 0x38: s->imsc = value & 0x7ff; break;
    case 0x44:
        if (value & INT_TX) s->tx_interrupt = 0;
        break;
    case 0x48: s->dmacr = value & 7; break;
    }
    update(uart);
    unlock(s);
    if (uart->moved || full) slot_kick(uart->core->slot, KICK_DOORBELL);
}

/* Takes as much as there is room for. */
size_t uart_input(struct uart *uart, const uint8_t *data, size_t length) {
    struct uart_state *s = uart->state;
    lock(uart);
    size_t room = RX_CAPACITY - waiting(s);
    if (length > room) length = room;
    for (size_t i = 0; i < length; i++) s->rx[s->rx_head++ % RX_CAPACITY] = data[i];
    uint64_t first = 0;
    memcpy(&first, data, length < 8 ? length : 8);
    trace(uart->core, TRACE_INPUT, uart->number, length, first);
    update(uart);
    unlock(s);
    return length;
}

int uart_attach(struct core *core, uint64_t ipa, struct uart_state *state, uint32_t intid) {
    struct uart **uarts = PyMem_Realloc(core->uarts, (core->uart_count + 1) * sizeof(*uarts));
    if (uarts) core->uarts = uarts;
    struct uart *uart = uarts ? PyMem_Calloc(1, sizeof(*uart) + uart_out_capacity) : NULL;
    if (!uart) {
        PyErr_NoMemory();
        return -1;
    }
    *uart = (struct uart){.core = core, .state = state, .number = core->uart_count, .intid = intid, .out = (uint8_t *)(uart + 1)};
    if (!state->cr) { /* reset values */
        state->cr = 0x300;
        state->ifls = 0x12;
    }
    int error = unicorn.mmio_map(core->uc, ipa, PAGE_SIZE, uart_read, uart, uart_write, uart);
    if (error) {
        PyMem_Free(uart);
        python_error(PyExc_ValueError, "UART at 0x%llx: %s", (unsigned long long)ipa, unicorn.strerror(error));
        return -1;
    }
    core->uarts[core->uart_count++] = uart;
    return 0;
}
