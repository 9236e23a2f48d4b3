/* Between nodes that are not home it goes by home, which passes it on. */
#include "passing.h"

#include <stdlib.h>
#include <string.h>

#include "release.h"

#define MOST_ASKED 4096u /* maintenance that a node has asked and that has not been done */

struct maintained_frame {
    uint64_t ticket;
    uint32_t pcpu, unused;
};

void passing_send(struct part *part, struct view *view, unsigned pcpu) {
    struct maintenance found = {.pcpu = pcpu};
    struct slot *slot = &part->slots[pcpu];
    if (atomic_load(&slot->asked) == atomic_load(&slot->done)) return;
    if (!maintenance_pick(slot, &found, SHORTLY))
        pending_again(part);
    else if (found.tlb_all || found.count)
        part_say(part, view, FRAME_MAINTAIN, &found, sizeof found);
}

void passing_done(struct part *part, const struct pending *pending) {
    struct maintained_frame frame = {.ticket = pending->ticket, .pcpu = pending->pcpu};
    pending->from->asked--;
    part_say(part, pending->from, FRAME_MAINTAINED, &frame, sizeof frame);
}

/* Of each pcpu by each other, as many as nobody has who waits at barriers. */
static unsigned most_asked(const struct part *part) { return MOST_ASKED + 4 * part->member_count * part->member_count; }

static bool take_maintenance(struct courier *courier, struct part *part, struct view *from, const uint8_t *body, size_t length) {
    struct maintenance asked;
    if (length != sizeof asked) return false;
    memcpy(&asked, body, sizeof asked);
    if (asked.pcpu >= part->lanes || part->nodes[asked.pcpu] == NOWHERE || asked.count > PENDING_PAGES) return false;
    bool here = part_is_here(courier, part, asked.pcpu);
    if (!here && (courier->node != part->home || part->nodes[asked.pcpu] == from->peer->node)) return false;
    if (from->asked >= most_asked(part)) return false;
    struct pending *pending = pending_new(1);
    if (!pending) return false;
    from->asked++;
    pending->from = from;
    pending->ticket = asked.ticket;
    pending->pcpu = asked.pcpu;
    pending->asked = asked;
    pending_add(pending, asked.pcpu);
    struct view *on = here ? NULL : part_way_to(courier, part, asked.pcpu);
    if (pending_asked(part, pending, 0) && on) passing_send(part, on, asked.pcpu);
    struct place at = {.courier = courier, .part = part};
    release_when_done(&at, pending);
    return true;
}

static bool take_maintained(struct courier *courier, struct part *part, const struct view *from, const uint8_t *body, size_t length) {
    struct maintained_frame frame;
    if (length != sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    if (frame.pcpu >= part->lanes || part_way_to(courier, part, frame.pcpu) != from || part_is_here(courier, part, frame.pcpu)) return false;
    struct slot *slot = &part->slots[frame.pcpu];
    if (frame.ticket > atomic_load(&slot->asked)) return false;
    if (frame.ticket > atomic_load(&slot->done)) atomic_store(&slot->done, frame.ticket);
    release_look(courier, part);
    return true;
}

bool passing_take(struct courier *courier, struct part *part, struct view *from, uint16_t kind, const uint8_t *body, size_t length) {
    return kind == FRAME_MAINTAIN ? take_maintenance(courier, part, from, body, length) : take_maintained(courier, part, from, body, length);
}
