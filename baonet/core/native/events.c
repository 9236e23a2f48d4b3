/*
 * What happens in the guest that the hypervisor is to hear of, in the order in which it happens: a timer fires, a
 * device's line moves, or what the architecture's interrupt controller has to tell. A block of guest code
 * may do several of these before it can be left, so they wait here; run() tells them one by one. What the hypervisor is
 * asked in mid-block or at its end (a call, a trap, an emulated access) comes after what waits then.
 */
#include "events.h"

#include "architecture.h"
#include "leave.h"
#include "trace.h"

/* Lines alone can move more often in a block than there is room for: then the last move of a line stands for some. */
#define RESERVED 64

static struct event *last_line(struct core *core, uint32_t number) {
    struct state *state = &core->state;
    for (unsigned i = state->event_head; i != state->event_tail; i--) {
        struct event *event = &state->events[(i - 1) % EVENTS];
        if (event->reason == EXIT_LINE && event->number == number) return event;
    }
    return NULL;
}

void event_note(struct core *core, enum exit_reason reason, uint32_t number, uint64_t value) {
    struct state *state = &core->state;
    if (running == core && reason != EXIT_INTERRUPT) event_note_timers(core);
    struct event *merged = NULL;
    if (reason == EXIT_LINE && state->event_head - state->event_tail >= EVENTS - RESERVED) merged = last_line(core, number);
    struct event *event = merged ? merged : &state->events[state->event_head++ % EVENTS];
    *event = (struct event){.reason = reason, .number = number, .value = value};
    if (running != core) return;
    FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST) = 1;
    slot_kick(core->slot, KICK_MAINTENANCE); /* not everything that is noted ends its block */
}

/* A timer has fired when its time is seen to be there, which is before anything that is noted next. */
void event_note_timers(struct core *core) {
    uint32_t interrupt;
    uint64_t due;
    while (arch_fired(core, &interrupt, &due)) {
        trace(core, TRACE_RAISED, interrupt, FROM_TIMER, due);
        event_note(core, EXIT_INTERRUPT, interrupt, 0);
    }
}

bool event_waiting(const struct core *core) { return core->state.event_head != core->state.event_tail; }

/* The next one, with its details in `exit`. */
enum exit_reason event_next(struct core *core) {
    struct state *state = &core->state;
    while (event_waiting(core)) {
        struct event *event = &state->events[state->event_tail++ % EVENTS];
        if (!arch_wants(core, event)) continue; /* what came before has seen to it */
        state->exit[EXIT_NUMBER] = event->number;
        state->exit[EXIT_VALUE] = event->value;
        return event->reason;
    }
    return EXIT_NONE;
}

/* The CPU is reset: what was its own is forgotten; a device's line is still where it is. */
void event_forget(struct core *core) {
    struct state *state = &core->state;
    unsigned head = state->event_tail;
    for (unsigned i = state->event_tail; i != state->event_head; i++)
        if (state->events[i % EVENTS].reason == EXIT_LINE) state->events[head++ % EVENTS] = state->events[i % EVENTS];
    state->event_head = head;
    state->deferred = EXIT_NONE;
}

/* Something that the hypervisor is asked by the instruction at which the guest stopped: after what came before it. */
enum exit_reason event_in_order(struct core *core, enum exit_reason asked) {
    struct state *state = &core->state;
    if (asked == EXIT_ERROR || asked == EXIT_KICKED) return asked;
    uint64_t value = state->exit[EXIT_VALUE];
    event_note_timers(core);
    enum exit_reason before = event_next(core);
    if (before == EXIT_NONE) return asked;
    state->deferred = asked;
    state->deferred_value = value;
    return before;
}

/* What run() has to tell before it enters the guest. */
enum exit_reason event_pending(struct core *core) {
    struct state *state = &core->state;
    event_note_timers(core);
    enum exit_reason reason = event_next(core);
    if (reason != EXIT_NONE || state->deferred == EXIT_NONE) return reason;
    reason = state->deferred;
    state->deferred = EXIT_NONE;
    state->exit[EXIT_VALUE] = state->deferred_value;
    return reason;
}
