/*
 * What all UARTs have in common. The state is in memory that all processes of a node share, as the device is on the bus that
 * all CPUs share; a lock makes each access whole. What is sent is kept by the core that sent it, with its position in the
 * device's output, so that whoever collects it from several cores can put it in order.
 *
 * Characters take no time on the line: one that is sent has left at once, and one that waits for room in the receive
 * FIFO comes as soon as there is some, so whenever characters came the line is idle.
 */
#include "uart.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "architecture.h"
#include "clock.h"
#include "events.h"
#include "leave.h"
#include "ownership.h"
#include "resident.h"
#include "rest.h"
#include "rights.h"
#include "trace.h"

#define OUT_CAPACITY 16384u

static bool try_lock(struct uart *uart, uint32_t *holder) {
    return atomic_compare_exchange_strong_explicit(&uart->state->lock, holder, uart->core->process,
                                                   memory_order_acquire, memory_order_relaxed);
}

/*
 * A process that was killed in here must not take the UART from the VMs that share it; nor may one that the host has stopped
 * hold theirs for longer than they can wait. A guest can until it is kicked: it may be asked to end, or others wait for it.
 */
#define SPINS_OF_A_LOOK 1024u
#define LONGEST_WAIT 100000000u /* nanoseconds, of a hypervisor that can do without */

static bool may_wait(const struct core *core, uint64_t since) {
    if (running == core) return !atomic_load(&core->slot->kick);
    return host_now() - since < LONGEST_WAIT;
}

/* False: it is to be tried again later. */
static bool lock(struct uart *uart) {
    uint32_t holder = 0;
    uint64_t since = 0;
    for (unsigned spins = 1; !try_lock(uart, &holder); spins++) {
        if (spins > 200) sched_yield();
        if (spins % SPINS_OF_A_LOOK == 0) {
            if (kill((pid_t)holder, 0) && errno == ESRCH && try_lock(uart, &holder)) return true;
            if (!since) since = host_now();
            if (!may_wait(uart->core, since)) return false;
        }
        holder = 0;
    }
    return true;
}
static void unlock(struct uart_state *s) { atomic_store_explicit(&s->lock, 0, memory_order_release); }

static void update(struct uart *uart) {
    struct uart_state *s = uart->state;
    uint32_t level = (uart->kind->pending(s) & uart->kind->enabled(s)) != 0;
    if (level == s->level) return;
    s->level = level;
    s->sequence++;
    if (!uart->interrupt) return; /* no VM has the interrupt */
    if (level) trace(uart->core, TRACE_RAISED, uart->interrupt, FROM_LINE, clock_visible(uart->core));
    event_note(uart->core, EXIT_LINE, uart->interrupt, s->sequence << 1 | level);
}

/* Whoever asks a device changes it. */
static struct shared_page page_of(const struct uart *uart) { return (struct shared_page){uart->owner, 0, uart->segment}; }

static bool enter(struct uart *uart) { return !uart->owner || ownership_enter(uart->core, page_of(uart), true); }

/* The courier takes its state to another node while it has the lock. False: it is to be tried again later. */
static bool lock_whole(struct uart *uart) {
    bool locked;
    while ((locked = lock(uart)) && uart->core->residence && uart->owner && !rights_may_write(uart->owner)) {
        unlock(uart->state);
        enter(uart);
    }
    rights_use(uart->core);
    return locked;
}

/* For an access of the guest, which is left at it if it cannot be done yet. */
static void lock_for_guest(struct uart *uart) {
    if (enter(uart) && lock_whole(uart)) return;
    rest_leave(uart->core, arch_access(uart->core));
}

/* An access of any width is one of the register at its address. */
static uint64_t uart_read(void *uc, uint64_t offset, unsigned size, void *user) {
    (void)uc, (void)size;
    struct uart *uart = user;
    if (offset >= uart->kind->size) arch_unanswered(uart->core, MMU_DATA_LOAD);
    lock_for_guest(uart);
    uint64_t value = uart->kind->read(uart->state, offset);
    update(uart);
    unlock(uart->state);
    return value;
}

/* What was sent is to be collected before there is no room. */
static void call_if_full(struct uart *uart, size_t before) {
    if (uart->out_length == OUT_CAPACITY && before != OUT_CAPACITY) slot_kick(uart->core->slot, KICK_DOORBELL);
}

static void uart_write(void *uc, uint64_t offset, unsigned size, uint64_t value, void *user) {
    (void)uc, (void)size;
    struct uart *uart = user;
    if (offset >= uart->kind->size) arch_unanswered(uart->core, MMU_DATA_STORE);
    lock_for_guest(uart);
    size_t before = uart->out_length;
    uart->kind->write(uart, offset, value);
    update(uart);
    unlock(uart->state);
    call_if_full(uart, before);
}

void uart_print(struct uart *uart, const uint8_t *data, size_t length) {
    enter(uart);
    while (!lock_whole(uart)) continue; /* a call of the guest's, which has no later */
    size_t before = uart->out_length;
    for (size_t i = 0; i < length; i++) uart_transmit(uart, data[i]);
    unlock(uart->state);
    call_if_full(uart, before);
}

/* Breaks are left out. */
size_t uart_typed(struct uart *uart, uint8_t *data, size_t most) {
    enter(uart);
    struct uart_state *s = uart->state;
    if (!lock_whole(uart)) return 0;
    size_t count = 0;
    while (count < most && uart_held(s)) {
        uint16_t character = uart->kind->take(s);
        if (!(character & RX_BREAK)) data[count++] = (uint8_t)character;
    }
    update(uart);
    unlock(s);
    return count;
}

int uart_flush(struct uart *uart) {
    if (!uart->out_length) return 0;
    if (parcels_add(&uart->core->pieces, uart->number, uart->out_position, uart->out, uart->out_length)) return -1;
    uart->out_length = 0;
    return 0;
}

bool uart_has_output(const struct core *core) {
    bool some = core->pieces.first != NULL;
    for (unsigned i = 0; i < core->uart_count; i++) some |= core->uarts[i]->out_length > 0;
    return some;
}

int uart_restore(struct uart *uart, uint64_t position, const void *output, size_t length) {
    if (length > OUT_CAPACITY) return -1;
    memcpy(uart->out, output, length);
    uart->out_position = position;
    uart->out_length = length;
    return 0;
}

/* For words at the end of a run, which wait for no lock. */
void uart_examine(const struct uart *uart, uint32_t *pending, uint32_t *enabled, uint64_t *waiting) {
    if (uart->owner && !uart->core->residence) resident_make(uart->core, page_of(uart));
    if (uart->core->residence) enter((struct uart *)uart), rights_use(uart->core);
    const struct uart_state *s = uart->state;
    *pending = uart->kind->pending(s), *enabled = uart->kind->enabled(s), *waiting = s->rx_head - s->rx_tail;
}

void uart_transmit(struct uart *uart, uint8_t character) {
    struct uart_state *s = uart->state;
    /* Another core sent in between, or nobody has collected for long: what is there is a piece of its own. */
    bool apart = uart->out_length == OUT_CAPACITY || uart->out_position + uart->out_length != s->sent;
    if (apart && uart_flush(uart)) Py_FatalError("baonet: no memory for console output");
    if (!uart->out_length) uart->out_position = s->sent;
    uart->out[uart->out_length++] = character;
    trace(uart->core, TRACE_CONSOLE, uart->number, s->sent, character);
    s->sent++;
}

/* Takes as much as there is room for. */
size_t uart_input(struct uart *uart, const uint8_t *data, size_t length) {
    enter(uart);
    struct uart_state *s = uart->state;
    if (!lock_whole(uart)) return 0;
    size_t room = RX_CAPACITY - (s->rx_head - s->rx_tail);
    if (length > room) length = room;
    for (size_t i = 0; i < length; i++) s->rx[s->rx_head++ % RX_CAPACITY] = data[i];
    uint64_t first = 0;
    memcpy(&first, data, length < 8 ? length : 8);
    trace(uart->core, TRACE_INPUT, uart->number, length, first);
    uart->kind->receive(s);
    update(uart);
    unlock(s);
    return length;
}

/* A character of zeroes that is too long: recorded as it waits. */
bool uart_break(struct uart *uart) {
    enter(uart);
    struct uart_state *s = uart->state;
    if (!lock_whole(uart)) return false;
    bool room = s->rx_head - s->rx_tail < RX_CAPACITY;
    if (room) {
        s->rx[s->rx_head++ % RX_CAPACITY] = RX_BREAK;
        uart->kind->receive(s);
        trace(uart->core, TRACE_INPUT, uart->number, 1, RX_BREAK);
        update(uart);
    }
    unlock(s);
    return room;
}

struct uart *uart_attach(struct core *core, const struct uart_kind *kind, uint64_t ipa, struct uart_state *state, uint32_t interrupt,
                         bool console) {
    struct uart **uarts = PyMem_Realloc(core->uarts, (core->uart_count + 1) * sizeof(*uarts));
    if (uarts) core->uarts = uarts;
    struct uart *uart = uarts ? PyMem_Calloc(1, sizeof(*uart) + OUT_CAPACITY) : NULL;
    if (!uart) {
        PyErr_NoMemory();
        return NULL;
    }
    *uart = (struct uart){.core = core, .kind = kind, .state = state, .number = core->uart_count, .interrupt = interrupt, .out = (uint8_t *)(uart + 1)};
    if (!state->started) {
        kind->start(state, console);
        state->started = 1;
    }
    int error = unicorn.mmio_map(core->uc, ipa, PAGE_SIZE, uart_read, uart, uart_write, uart);
    if (error) {
        PyMem_Free(uart);
        python_error(PyExc_ValueError, "UART at 0x%llx: %s", (unsigned long long)ipa, unicorn.strerror(error));
        return NULL;
    }
    core->uarts[core->uart_count++] = uart;
    return uart;
}
