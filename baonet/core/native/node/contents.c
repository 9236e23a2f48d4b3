#include "contents.h"

#include <stddef.h>
#include <string.h>

#include "uart_state.h"

/* What a device's state has beside its lock. */
#define DEVICE_BEGIN sizeof(uint32_t)
#define DEVICE_HEAD (offsetof(struct uart_state, rx) - DEVICE_BEGIN)

static uint64_t waiting_characters(uint64_t head, uint64_t tail) { return head - tail < RX_CAPACITY ? head - tail : RX_CAPACITY; }

size_t contents_most(const struct table *table, unsigned count) {
    return table->device ? DEVICE_HEAD + sizeof(uint16_t) * RX_CAPACITY : (size_t)count * GUEST_PAGE;
}

size_t contents_pack(const struct table *table, uint32_t page, unsigned count, uint8_t *room) {
    if (!table->device) {
        memcpy(room, table->bytes + (size_t)page * GUEST_PAGE, (size_t)count * GUEST_PAGE);
        return (size_t)count * GUEST_PAGE;
    }
    const struct uart_state *state = (const struct uart_state *)table->bytes;
    uint8_t *characters = room + DEVICE_HEAD;
    uint64_t tail = state->rx_tail, waiting = waiting_characters(state->rx_head, tail);
    memcpy(room, table->bytes + DEVICE_BEGIN, DEVICE_HEAD);
    for (uint64_t i = 0; i < waiting; i++)
        memcpy(characters + sizeof(uint16_t) * i, &state->rx[(tail + i) % RX_CAPACITY], sizeof(uint16_t));
    return DEVICE_HEAD + sizeof(uint16_t) * waiting;
}

static uint64_t count_at(const uint8_t *bytes, size_t place) {
    uint64_t count;
    memcpy(&count, bytes + place - DEVICE_BEGIN, sizeof count);
    return count;
}

bool contents_fit(const struct table *table, unsigned count, const uint8_t *bytes, size_t length) {
    if (!table->device) return length == (size_t)count * GUEST_PAGE;
    if (count != 1 || length < DEVICE_HEAD) return false;
    uint64_t head = count_at(bytes, offsetof(struct uart_state, rx_head)), tail = count_at(bytes, offsetof(struct uart_state, rx_tail));
    return length == DEVICE_HEAD + sizeof(uint16_t) * waiting_characters(head, tail);
}

void contents_unpack(const struct table *table, uint32_t page, const uint8_t *bytes, size_t length) {
    if (!table->device) {
        memcpy(table->bytes + (size_t)page * GUEST_PAGE, bytes, GUEST_PAGE);
        return;
    }
    struct uart_state *state = (struct uart_state *)table->bytes;
    uint64_t tail = count_at(bytes, offsetof(struct uart_state, rx_tail));
    for (uint64_t i = 0, stale = waiting_characters(state->rx_head, state->rx_tail); i < stale; i++)
        state->rx[(state->rx_tail + i) % RX_CAPACITY] = 0; /* read elsewhere since, or coming */
    memcpy(table->bytes + DEVICE_BEGIN, bytes, DEVICE_HEAD);
    for (size_t i = 0; i < (length - DEVICE_HEAD) / sizeof(uint16_t); i++)
        memcpy(&state->rx[(tail + i) % RX_CAPACITY], bytes + DEVICE_HEAD + sizeof(uint16_t) * i, sizeof(uint16_t));
}
