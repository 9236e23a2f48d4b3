/*
 * What the courier of a node does for an island: it asks the cores that are here in the place of who conducts on another node,
 * brings the pages that they need, and passes on what processes say to each other. What the ledger has goes ahead of all else
 * (log.c), on the same stream.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "coherent.h"
#include "contents.h"
#include "futex.h"
#include "log.h"
#include "pulse.h"
#include "ringing.h"
#include "weaving.h"

#define AHEAD 32u /* pages that are read at once, when they have been one after the other */

struct order_frame {
    uint64_t limit, left; /* nanoseconds until the deadline, UINT64_MAX: there is none */
    uint32_t pcpu;
    uint8_t frozen, polite, patient, unused;
};
struct came_frame {
    uint64_t clock;
    uint32_t pcpu;
    int32_t reason;
    uint8_t blocked, fought, yielded, out, printed;
    uint8_t unused[3];
};
struct pages_frame {
    uint32_t page;
    uint16_t segment, count;
};
struct says_frame {
    uint32_t pcpu;
};
struct took_frame {
    uint32_t pcpu, length;
};

static struct view *view_of(struct part *part, unsigned node) {
    for (unsigned i = 0; i < part->view_count; i++)
        if (part->views[i].peer->node == node) return &part->views[i];
    return NULL;
}

bool part_is_here(const struct courier *courier, const struct part *part, unsigned pcpu) { return part->nodes[pcpu] == courier->node; }

struct view *part_way_to(const struct courier *courier, struct part *part, unsigned pcpu) {
    return courier->node != part->home ? &part->views[0] : view_of(part, part->nodes[pcpu]);
}

void part_say(struct part *part, struct view *view, uint16_t kind, const void *body, size_t length) {
    part_ship(part, view);
    link_say(&view->peer->link, kind, part->number, body, length, NULL, 0);
}

/* Pages that are here already are left as they are: they came with others. What another node has is not its to give. */
static bool unpack(const struct table *table, const struct view *from, uint32_t page, unsigned count, const uint8_t *bytes, size_t length) {
    uint16_t holder = (uint16_t)(from->peer->node + 1);
    for (unsigned i = 0; i < count; i++)
        if (table->entries[page + i].holder != HERE && table->entries[page + i].holder != holder) return false;
    if (!contents_fit(table, count, bytes, length)) return false;
    for (unsigned i = 0; i < count; i++)
        if (table->entries[page + i].holder == holder) contents_unpack(table, page + i, bytes + (size_t)i * GUEST_PAGE, length);
    return true;
}

/* As many as are wanted, and may be: what all may read, from the same node. */
static unsigned ahead(struct table *table, uint32_t page) {
    table->run = page == table->next ? table->run < AHEAD ? 2 * table->run : AHEAD : 1;
    unsigned count = 1;
    const struct ownership *entries = table->entries;
    while (count < table->run && page + count < table->pages && entries[page + count].owner == SHARED &&
           entries[page + count].holder == entries[page].holder)
        count++;
    table->next = page + count;
    return count;
}

static void give(struct courier *courier, struct part *part, struct view *view, const struct waiting *asked) {
    struct table *table = &part->tables[asked->segment];
    unsigned count = 1;
    while (count < asked->count && table->entries[asked->page + count].holder == HERE) count++;
    struct pages_frame frame = {.page = asked->page, .segment = asked->segment, .count = (uint16_t)count};
    part_ship(part, view);
    uint8_t *room = link_begin(&view->peer->link, FRAME_PAGES, part->number, sizeof frame + contents_most(table, count));
    if (!room) return;
    memcpy(room, &frame, sizeof frame);
    link_end(&view->peer->link, sizeof frame + contents_pack(table, asked->page, count, room + sizeof frame));
    atomic_fetch_add(&courier->given, count);
}

static void wake(struct part *part, unsigned pcpu) {
    struct lane *lane = &part->ledger->lanes[pcpu];
    atomic_store(&lane->wants, WANTS_NOTHING);
    syscall(SYS_futex, &lane->wants, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static bool is_awaited(const struct part *part, unsigned segment, uint32_t page) {
    for (unsigned i = 0; i < part->waiting_count; i++)
        if (part->waiting[i].segment == segment && part->waiting[i].page == page) return true;
    return false;
}

/* Somebody wants pages of which the first is elsewhere. False: no memory. */
static bool fetch(struct part *part, struct waiting wanted) {
    struct table *table = &part->tables[wanted.segment];
    bool asked = is_awaited(part, wanted.segment, wanted.page);
    struct waiting *room = realloc(part->waiting, (part->waiting_count + 1) * sizeof *room);
    if (!room) return false;
    part->waiting = room;
    part->waiting[part->waiting_count++] = wanted;
    struct view *view = view_of(part, table->entries[wanted.page].holder - 1u);
    if (asked || !view) return true;
    unsigned count = wanted.node < 0 ? ahead(table, wanted.page) : 1;
    struct pages_frame frame = {.page = wanted.page, .segment = wanted.segment, .count = (uint16_t)count};
    part_say(part, view, FRAME_GET, &frame, sizeof frame);
    return true;
}

static struct table *table_with(struct part *part, const struct pages_frame *frame) {
    struct table *table = frame->segment < part->table_count ? &part->tables[frame->segment] : NULL;
    if (!table || !table->entries || !frame->count || frame->count > AHEAD || frame->page >= table->pages) return NULL;
    return frame->count <= table->pages - frame->page ? table : NULL;
}

/* A core asks for one page at a time. */
static unsigned asked_by(const struct part *part, int node) {
    unsigned count = 0;
    for (unsigned i = 0; i < part->waiting_count; i++) count += part->waiting[i].node == node;
    return count;
}

static bool take_get(struct courier *courier, struct part *part, struct view *from, const uint8_t *body, size_t length) {
    struct pages_frame frame;
    if (length != sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    struct table *table = table_with(part, &frame);
    if (!table) return false;
    struct waiting wanted = {.segment = frame.segment, .count = frame.count, .page = frame.page, .node = (int)from->peer->node};
    if (table->entries[frame.page].holder != HERE) return asked_by(part, wanted.node) < part->lanes && fetch(part, wanted);
    give(courier, part, from, &wanted);
    return true;
}

static bool take_pages(struct courier *courier, struct part *part, const struct view *from, const uint8_t *body, size_t length) {
    struct pages_frame frame;
    if (length < sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    struct table *table = table_with(part, &frame);
    if (!table || !is_awaited(part, frame.segment, frame.page)) return false;
    if (!unpack(table, from, frame.page, frame.count, body + sizeof frame, length - sizeof frame)) return false;
    for (unsigned i = 0; i < frame.count; i++) {
        table->entries[frame.page + i].holder = HERE;
        table->brought[frame.page + i]++;
    }
    atomic_fetch_add(&courier->brought, frame.count);
    unsigned kept = 0;
    for (unsigned i = 0; i < part->waiting_count; i++) {
        struct waiting *each = &part->waiting[i];
        struct view *view = each->node < 0 ? NULL : view_of(part, (unsigned)each->node);
        if (each->segment != frame.segment || each->page != frame.page)
            part->waiting[kept++] = *each;
        else if (each->node < 0)
            wake(part, each->pcpu);
        else if (view)
            give(courier, part, view, each);
    }
    part->waiting_count = kept;
    return true;
}

static bool take_order(struct courier *courier, struct part *part, const uint8_t *body, size_t length) {
    struct order_frame frame;
    if (length != sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    if (frame.pcpu >= part->lanes || part->nodes[frame.pcpu] != courier->node) return false;
    struct lane *lane = &part->ledger->lanes[frame.pcpu];
    if (atomic_load(&lane->work) != LANE_STANDS) return false;
    uint64_t deadline = frame.left == UINT64_MAX ? UINT64_MAX : pulse_now() + frame.left;
    lane->order = (struct order){.limit = frame.limit, .deadline = deadline, .frozen = frame.frozen, .polite = frame.polite,
                                 .patient = frame.patient};
    atomic_store(&lane->work, LANE_ASKED);
    futex_ring(&part->ledger->lanes[part->processes[frame.pcpu]].bell);
    return true;
}

static bool take_came(struct part *part, const struct view *from, const uint8_t *body, size_t length) {
    struct came_frame frame;
    if (length != sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    if (frame.pcpu >= part->lanes || part->nodes[frame.pcpu] != from->peer->node) return false;
    struct lane *lane = &part->ledger->lanes[frame.pcpu];
    if (atomic_load(&lane->work) != LANE_RUNS) return false;
    lane->outcome = (struct outcome){.clock = frame.clock, .reason = frame.reason, .blocked = frame.blocked,
                                     .fought = frame.fought, .yielded = frame.yielded, .out = frame.out, .printed = frame.printed};
    atomic_store(&lane->work, LANE_HAS_COME);
    futex_ring(&part->ledger->answers);
    return true;
}

static void send_order(struct courier *courier, struct part *part, unsigned pcpu) {
    struct lane *lane = &part->ledger->lanes[pcpu];
    struct view *view = view_of(part, part->nodes[pcpu]);
    uint32_t asked = LANE_ASKED;
    if (!view || !atomic_compare_exchange_strong(&lane->work, &asked, LANE_RUNS)) return;
    struct order order = lane->order;
    uint64_t time = pulse_now(), left = order.deadline == UINT64_MAX ? UINT64_MAX : order.deadline > time ? order.deadline - time : 0;
    struct order_frame frame = {.limit = order.limit, .left = left, .pcpu = pcpu, .frozen = order.frozen, .polite = order.polite,
                                .patient = order.patient};
    part_say(part, view, FRAME_ORDER, &frame, sizeof frame);
    atomic_fetch_add(&courier->orders, 1);
}

static void send_came(struct part *part, unsigned pcpu) {
    struct lane *lane = &part->ledger->lanes[pcpu];
    struct outcome outcome = lane->outcome;
    struct came_frame frame = {.clock = outcome.clock, .pcpu = pcpu, .reason = outcome.reason, .blocked = outcome.blocked,
                               .fought = outcome.fought, .yielded = outcome.yielded, .out = outcome.out,
                               .printed = outcome.printed};
    atomic_store(&lane->work, LANE_STANDS);
    weaving_tell(part, &part->views[0], pcpu);
    part_say(part, &part->views[0], FRAME_CAME, &frame, sizeof frame);
}

void part_called(struct courier *courier, struct part *part, unsigned pcpu) {
    struct lane *lane = &part->ledger->lanes[pcpu];
    if (part->nodes[pcpu] == NOWHERE) return;
    ringing_called(courier, part, pcpu);
    if (part->home == courier->node) weaving_end_window(part);
    if (part->timing) {
        coherent_called(courier, part, pcpu);
    } else if (part->nodes[pcpu] != courier->node) {
        send_order(courier, part, pcpu);
    } else if (atomic_load(&lane->wants) == WANTS_PAGE) {
        struct waiting wanted = {.segment = lane->segment, .count = 1, .page = lane->page, .node = -1, .pcpu = pcpu};
        bool there = wanted.segment < part->table_count && part->tables[wanted.segment].entries &&
                     wanted.page < part->tables[wanted.segment].pages;
        for (unsigned i = 0; i < part->waiting_count; i++)
            if (part->waiting[i].node < 0 && part->waiting[i].pcpu == pcpu) return; /* it was called twice */
        if (there && part->tables[wanted.segment].entries[wanted.page].holder == HERE)
            wake(part, pcpu); /* it came meanwhile */
        else if (there)
            fetch(part, wanted);
    } else if (part->ledger->conducted_away && atomic_load(&lane->work) == LANE_HAS_COME) {
        send_came(part, pcpu);
    }
    for (unsigned i = 0; i < part->view_count && ledger_is_full(part->ledger); i++) part_ship(part, &part->views[i]);
}

void part_relay(struct part *part, struct relay *relay, const uint8_t *bytes, size_t length) {
    struct view *view = view_of(part, relay->peer->node);
    struct says_frame frame = {.pcpu = relay->pcpu};
    if (!view) return;
    part_ship(part, view);
    for (unsigned i = 0; i < part->member_count; i++) /* those of the process that says it: they stand */
        if (part->processes[part->members[i]] == relay->pcpu) weaving_tell(part, view, part->members[i]);
    if (!link_say(&view->peer->link, length ? FRAME_SAYS : FRAME_ENDED, part->number, &frame, sizeof frame, bytes, length)) return;
    relay->ahead += (uint32_t)length;
}

void part_took(struct part *part, struct relay *relay, size_t length) {
    struct view *view = view_of(part, relay->peer->node);
    relay->taken += (uint32_t)length;
    if (relay->taken < TELLING || !view) return;
    struct took_frame frame = {.pcpu = relay->pcpu, .length = relay->taken};
    relay->taken = 0;
    part_say(part, view, FRAME_TOOK, &frame, sizeof frame);
}

static struct relay *relay_of(struct part *part, const struct view *from, unsigned pcpu) {
    for (unsigned i = 0; i < part->relay_count; i++)
        if (part->relays[i].pcpu == pcpu && part->relays[i].peer == from->peer) return &part->relays[i];
    return NULL;
}

static bool take_said(struct part *part, const struct view *from, bool ended, const uint8_t *body, size_t length) {
    struct says_frame frame;
    if (length < sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    struct relay *relay = relay_of(part, from, frame.pcpu);
    if (!relay) return false;
    size_t said = length - sizeof frame;
    if (ended) {
        relay->ended = true; /* closed when what is there has gone */
    } else if (relay->link.fd < 0) {
        if (said > WINDOW) return false;
        part_took(part, relay, said); /* nobody is there any more: whoever says it need not wait for that */
    } else {
        return said + relay->taken + relay->link.out.length <= WINDOW && bytes_add(&relay->link.out, body + sizeof frame, said);
    }
    return true;
}

static bool take_took(struct part *part, const struct view *from, const uint8_t *body, size_t length) {
    struct took_frame frame;
    if (length != sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    struct relay *relay = relay_of(part, from, frame.pcpu);
    if (!relay || frame.length > relay->ahead) return false;
    relay->ahead -= frame.length;
    return true;
}

bool part_take(struct courier *courier, struct part *part, struct peer *peer, uint16_t kind, const uint8_t *body, size_t length) {
    struct view *view = view_of(part, peer->node);
    bool at_home = courier->node == part->home;
    if (!view) return false;
    if (kind == FRAME_RING || kind == FRAME_ROOM) return ringing_take(courier, part, view, kind, body, length);
    if (part->timing) return coherent_take(courier, part, view, kind, body, length);
    switch (kind) {
    case FRAME_LOG: return log_take(part, view, courier->node, body, length);
    case FRAME_ORDER: return !at_home && take_order(courier, part, body, length);
    case FRAME_CAME: return at_home && take_came(part, view, body, length);
    case FRAME_GET: return take_get(courier, part, view, body, length);
    case FRAME_PAGES: return take_pages(courier, part, view, body, length);
    case FRAME_SAYS: return take_said(part, view, false, body, length);
    case FRAME_ENDED: return take_said(part, view, true, body, length);
    case FRAME_TOOK: return take_took(part, view, body, length);
    case FRAME_LOGGED:
    case FRAME_MOVED:
    case FRAME_ASKED:
    case FRAME_EDGE: return weaving_take(courier, part, view, kind, body, length);
    default: return false;
    }
}

void part_reset(struct courier *courier, struct part *part, struct table *table) {
    bool at_home = courier->node == part->home;
    if (part->timing) {
        coherent_reset(courier, part, table);
        return;
    }
    for (uint32_t page = 0; page < table->pages; page++) {
        unsigned owner = table->entries[page].owner, node = owner == SHARED || owner > part->lanes ? NOWHERE : part->nodes[owner - 1];
        bool here = node == NOWHERE || node == courier->node;
        table->entries[page].holder = (uint16_t)(here ? HERE : at_home ? node + 1u : part->home + 1u);
    }
}

void part_lost(struct courier *courier, struct part *part, struct peer *peer) {
    struct view *view = view_of(part, peer->node);
    if (!view) return;
    ringing_lost(courier, part, view);
    if (part->timing) coherent_lost(courier, part, view);
}
