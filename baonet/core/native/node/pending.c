/*
 * A pcpu has done what it was asked when it says so, when it is outside the guest (it does it before it goes in again), or when its
 * process has ended. It is kicked, or woken where it waits amid an instruction, and calls the courier when it has served something
 * (rights.c, broadcast.c).
 */
#include "pending.h"

#include <stdlib.h>

#include "pulse.h"

#define AGAIN UINT64_C(1000000) /* nanoseconds */
#define NOT_ASKED UINT64_MAX    /* a ticket */

bool pending_has_ended(const struct part *part, unsigned pcpu) { return part->ended && atomic_load(&part->ended[pcpu]); }

void pending_again(struct part *part) {
    if (!part->again) part->again = pulse_now() + AGAIN;
}

static uint64_t put_recall(struct slot *slot, const struct recall *recall) {
    if (!slot_try_lock(slot, SHORTLY)) return NOT_ASKED;
    uint32_t count = slot->recall_count; /* whatever guests' processes write there */
    if (count >= PENDING_RECALLS) {
        slot->recall_all = 1;
    } else {
        slot->recalls[count] = *recall;
        slot->recall_count = count + 1;
    }
    uint64_t ticket = atomic_fetch_add(&slot->recalls_asked, 1) + 1;
    slot_unlock(slot);
    return ticket;
}

static uint64_t ask_once(struct slot *slot, const struct pending *pending) {
    struct recall recall = {.page = pending->page, .segment = pending->segment, .all = pending->all};
    return pending->from ? maintenance_put(slot, &pending->asked, SHORTLY) : put_recall(slot, &recall);
}

/* Who is outside the guest has to be asked as well: it does what it was before it goes in again. */
bool pending_asked(struct part *part, struct pending *pending, unsigned i) {
    unsigned pcpu = pending->pcpus[i].pcpu;
    struct slot *slot = &part->slots[pcpu];
    if (pending_has_ended(part, pcpu) || pending->pcpus[i].ticket != NOT_ASKED) return true;
    pending->pcpus[i].ticket = ask_once(slot, pending);
    if (pending->pcpus[i].ticket == NOT_ASKED) {
        pending_again(part);
        return false;
    }
    if (!part->ledger->lanes[pcpu].away && atomic_load(&slot->in_guest)) {
        slot_kick(slot, KICK_MAINTENANCE);
        slot_poke(slot);
    }
    return true;
}

static bool is_done(const struct part *part, const struct pending *pending, unsigned i) {
    unsigned pcpu = pending->pcpus[i].pcpu;
    const struct slot *slot = &part->slots[pcpu];
    const _Atomic uint64_t *done = pending->from ? &slot->done : &slot->recalls_done;
    return pending_has_ended(part, pcpu) || !atomic_load(&slot->in_guest) || atomic_load(done) >= pending->pcpus[i].ticket;
}

/* It is to call when it has served something. */
static bool await(struct part *part, struct pending *pending, unsigned i) {
    if (!pending_asked(part, pending, i)) return true;
    if (is_done(part, pending, i)) return false;
    atomic_store(&part->slots[pending->pcpus[i].pcpu].calls, 1);
    return !is_done(part, pending, i);
}

struct pending *pending_new(unsigned most) {
    return calloc(1, sizeof(struct pending) + most * sizeof((struct pending *)0)->pcpus[0]);
}

void pending_add(struct pending *pending, unsigned pcpu) {
    pending->pcpus[pending->count].pcpu = (uint16_t)pcpu;
    pending->pcpus[pending->count++].ticket = NOT_ASKED;
}

bool pending_waits(struct part *part, struct pending *pending) {
    bool waits = false;
    for (unsigned i = 0; i < pending->count; i++) waits |= await(part, pending, i);
    return waits;
}
