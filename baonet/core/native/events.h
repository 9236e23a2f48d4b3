/* What the hypervisor is to hear of, in the order in which it happened. */
#ifndef BAONET_EVENTS_H
#define BAONET_EVENTS_H

#include "core.h"

void event_note(struct core *core, enum exit_reason reason, uint32_t number, uint64_t value);

/* Timers that have fired. */
void event_note_timers(struct core *core);

bool event_waiting(const struct core *core);

/* The next one, with its details in `exit`; EXIT_NONE: none waits. */
enum exit_reason event_next(struct core *core);

/* The CPU is reset. */
void event_forget(struct core *core);

/* What the guest is left for at this instruction, or what comes before it. */
enum exit_reason event_in_order(struct core *core, enum exit_reason asked);

/* What is to be told before the guest is entered; EXIT_NONE: nothing. */
enum exit_reason event_pending(struct core *core);

#endif
