/*
 * A page goes when home wants it back, and all that use it here have let go. Who was granted it does its access first, and who
 * writes goes on for a while. The state of a device goes while nobody has its lock.
 */
#include "release.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coherent.h"
#include "passing.h"
#include "pulse.h"
#include "uart_state.h"

#define HOLD UINT64_C(50000) /* nanoseconds */

void release_fail(struct part *part) {
    for (unsigned i = 0; i < part->view_count; i++) part->views[i].peer->link.failed = true;
}

void release_when_done(const struct place *at, struct pending *pending) {
    if (pending_waits(at->part, pending)) {
        pending->next = at->part->pending;
        at->part->pending = pending;
        return;
    }
    if (pending->from)
        passing_done(at->part, pending);
    else
        coherent_gave(at);
    free(pending);
}

/*
 * Its state goes while nobody amid an access has its lock; who was killed in one has it no more. False: somebody has it who does
 * not run, and it is tried again.
 */
static bool lock_device(struct uart_state *state) {
    for (unsigned tried = 0; tried < SHORTLY; tried++) {
        uint32_t holder = 0, me = (uint32_t)getpid();
        if (atomic_compare_exchange_strong(&state->lock, &holder, me)) return true;
        if (tried % 256 == 255 && kill((pid_t)holder, 0) && errno == ESRCH && atomic_compare_exchange_strong(&state->lock, &holder, me)) return true;
        if (tried > 200) sched_yield();
    }
    return false;
}

static void take_back(const struct place *at) {
    bool all = !held(at)->right;
    place_publish(at);
    unsigned user = all ? atomic_exchange(&entry(at)->user, 0) : atomic_load(&entry(at)->user);
    if (!user) {
        coherent_gave(at);
        return;
    }
    struct pending *pending = pending_new(at->part->member_count);
    if (!pending) {
        release_fail(at->part);
        return;
    }
    pending->segment = at->segment;
    pending->page = at->page;
    pending->all = all;
    for (unsigned i = 0; i < at->part->member_count; i++) {
        unsigned pcpu = at->part->members[i];
        if (part_is_here(at->courier, at->part, pcpu) && (user == SEVERAL || user == pcpu + 1)) pending_add(pending, pcpu);
    }
    release_when_done(at, pending);
}

/* False: not yet. */
static bool take_device_back(const struct place *at) {
    struct uart_state *state = (struct uart_state *)at->table->bytes;
    if (!held(at)->recalled) return true;
    if (!lock_device(state)) return false;
    holder_free(held(at));
    place_publish(at);
    atomic_store(&state->lock, 0);
    coherent_gave(at);
    return true;
}

/*
 * Who has waited for a page to write it may go on for a while, unless it leaves the guest: what belongs together is mostly done by
 * then, and the page does not have to come again for the rest of it.
 */
static bool is_amid_it(const struct place *at, unsigned pcpu) {
    struct slot *slot = &at->part->slots[pcpu];
    uint64_t until = at->part->granted[pcpu] + HOLD;
    if (held(at)->right != RIGHT_WRITE || pending_has_ended(at->part, pcpu) || pulse_now() >= until) return false;
    atomic_store(&slot->calls, 1);
    if (!atomic_load(&slot->in_guest)) return false;
    if (!at->part->again || at->part->again > until) at->part->again = until;
    return true;
}

/* Somebody here is still to use what was granted for him. */
static bool is_to_be_used(const struct place *at) {
    for (unsigned i = 0; i < at->part->member_count; i++) {
        unsigned pcpu = at->part->members[i];
        struct lane *lane = place_lane(at, pcpu);
        if (!lane) continue;
        if (atomic_load(&lane->wants) == WANTS_USE) {
            atomic_store(&lane->awaited, 1);
            if (atomic_load(&lane->wants) == WANTS_USE) return true;
        }
        if (atomic_load(&lane->wants) == WANTS_NOTHING && is_amid_it(at, pcpu)) return true;
    }
    return false;
}

static void defer(const struct place *at) {
    struct part *part = at->part;
    struct deferred *room = realloc(part->deferred, (part->deferred_count + 1) * sizeof *room);
    if (!room) {
        release_fail(part);
        return;
    }
    part->deferred = room;
    room[part->deferred_count++] = (struct deferred){at->segment, at->page};
}

void release_page(const struct place *at) {
    if (is_to_be_used(at)) {
        defer(at);
    } else if (at->table->device) {
        if (take_device_back(at)) return;
        defer(at);
        pending_again(at->part);
    } else if (holder_free(held(at))) {
        take_back(at);
    }
}

void release_retry(struct courier *courier, struct part *part) {
    unsigned count = part->deferred_count;
    struct deferred *before = part->deferred;
    part->deferred = NULL;
    part->deferred_count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct place at = place_of(courier, part, before[i].segment, before[i].page);
        release_page(&at);
    }
    free(before);
}

void release_look(struct courier *courier, struct part *part) {
    struct pending *before = part->pending;
    part->pending = NULL;
    while (before) {
        struct pending *pending = before;
        before = before->next;
        struct place at = {.courier = courier, .part = part};
        if (!pending->from) at = place_of(courier, part, pending->segment, pending->page);
        release_when_done(&at, pending);
    }
}

/* Of a page of the segment; or of maintenance, by `from`. */
static void drop(struct part *part, const struct view *from, unsigned segment) {
    for (struct pending **each = &part->pending; *each;) {
        struct pending *pending = *each;
        if (pending->from != from || (!from && pending->segment != segment)) {
            each = &pending->next;
            continue;
        }
        *each = pending->next;
        free(pending);
    }
}

void release_forget_segment(struct part *part, unsigned segment) {
    unsigned kept = 0;
    drop(part, NULL, segment);
    for (unsigned i = 0; i < part->deferred_count; i++)
        if (part->deferred[i].segment != segment) part->deferred[kept++] = part->deferred[i];
    part->deferred_count = kept;
}

void release_forget_view(struct part *part, const struct view *view) { drop(part, view, 0); }

void release_end(struct part *part) {
    for (struct pending *next; part->pending; part->pending = next) {
        next = part->pending->next;
        free(part->pending);
    }
    free(part->deferred);
}
