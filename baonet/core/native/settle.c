/* The start of a block, where a stop is honoured: what is looked at there, and whether the block runs. */
#include "settle.h"

#include "architecture.h"
#include "broadcast.h"
#include "clock.h"
#include "pages.h"
#include "rest.h"

/* The longest stretch between two looks at the clock, in instructions: some 20 us. */
#define CHUNK 20000

void settle_refill(struct core *core) {
    int64_t total = core->state.left + core->slot->budget;
    int32_t chunk = total > CHUNK ? CHUNK : (int32_t)total;
    core->slot->budget = chunk;
    core->state.left = total - chunk;
}

/* Whether a block of this stay has run, seen from the start of another, whose instructions are already taken. */
static bool progressed(struct core *core, unsigned instructions) {
    return core_retired(core) - instructions != core->scratch.entered;
}

void core_settle(struct core *core, unsigned instructions) {
    if (rest_begins(core)) return;
    struct slot *slot = core->slot;
    uint8_t *exit_request = &FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST);
    int32_t why = atomic_load(&slot->kick) ? atomic_exchange(&slot->kick, 0) : 0;
    broadcast_service(core);
    pages_settle(core);
    if (why & KICK_DOORBELL) {
        /* Whoever is called without end gets on by a block between two calls. */
        bool waits = !core->hz && !core->scratch.patient && !progressed(core, instructions);
        core->scratch.patient = waits;
        if (waits) {
            slot_kick(slot, KICK_DOORBELL);
        } else {
            core->state.doorbell = true;
            *exit_request = 1;
        }
    }
    if (core->hz) {
        if (slot->budget < 0) clock_block_start(core, instructions);
    } else if (slot->budget < 0) {
        /* A block that is longer than the budget runs, or the guest would stay where it is. */
        if (core->state.left + slot->budget >= 0 || !progressed(core, instructions)) {
            settle_refill(core);
        } else {
            core->scratch.out_of_budget = true;
            *exit_request = 1;
        }
    }
    if (!core->hz && arch_due(core)) *exit_request = 1;
    /* An interrupt that the guest masks is not taken by leaving: do it once for a kick, or the block never runs. */
    if (*exit_request || (why && FIELD(uint32_t, core->cpu, CS_INTERRUPT_REQUEST))) core->scratch.leave_block = true;
}
