/*
 * The ledger of an island on several nodes. One of them conducts: the others hear from it alone, and it hears from all. Whoever
 * records a transfer is the only one of the island that runs, and what it recorded goes ahead of the word that it has stopped;
 * so a node that is told to go on has all that was recorded before, in one order.
 */
#include "log.h"

#include <string.h>

#include "maintenance.h"
#include "timing.h"
#include "weaving.h"

struct counts {
    uint32_t transfers, known, maintenance, unused;
};
struct entry {
    uint64_t let_go;
    uint32_t page;
    uint16_t segment, taker, owner, written;
    uint32_t unused;
};
struct known {
    uint64_t time;
    uint32_t pcpu, unused;
};
#define MOST_KNOWN 4096u

static struct table *table_of(struct part *part, unsigned segment) {
    return segment < part->table_count && part->tables[segment].entries ? &part->tables[segment] : NULL;
}

/* Whether what is told of a pcpu goes to a node: at home what is elsewhere than there, else what is here. */
static bool concerns(const struct part *part, unsigned pcpu, const struct peer *peer, bool at_home) {
    return at_home ? part->nodes[pcpu] != peer->node : part->nodes[pcpu] != part->home && part->processes[pcpu] != NOWHERE;
}

static struct entry entry_of(struct part *part, const struct transfer *transfer) {
    struct table *table = table_of(part, transfer->segment);
    struct ownership owned = table && transfer->page < table->pages ? table->entries[transfer->page] : (struct ownership){0};
    return (struct entry){.let_go = owned.let_go, .page = transfer->page, .segment = transfer->segment, .taker = transfer->taker,
                          .owner = owned.owner, .written = transfer->written};
}

static void note_shipped(struct part *part) {
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < part->view_count; i++)
        if (part->views[i].sent < least) least = part->views[i].sent;
    atomic_store(&part->ledger->shipped, least);
}

static bool maintains(const struct part *part, unsigned pcpu, const struct peer *peer, bool at_home) {
    return at_home ? part->nodes[pcpu] == peer->node : part->processes[pcpu] == NOWHERE;
}

void part_ship(struct part *part, struct view *view) {
    if (part->timing) {
        timing_tell(part, view);
        return;
    }
    weaving_ship(part, view);
    struct ledger *ledger = part->ledger;
    bool at_home = view->peer->node != part->home;
    uint64_t written = atomic_load_explicit(&ledger->written, memory_order_acquire);
    /* More than it holds it cannot say: a process of guests has not kept to the rules, and the island does not repeat. */
    if (written - view->sent > JOURNAL) view->sent = written - JOURNAL;
    struct counts counts = {.transfers = (uint32_t)(written - view->sent)};
    for (unsigned i = 0; i < part->member_count; i++) {
        unsigned pcpu = part->members[i];
        if (concerns(part, pcpu, view->peer, at_home)) counts.known += atomic_load(&ledger->lanes[pcpu].known) != view->known[pcpu];
        if (maintains(part, pcpu, view->peer, at_home)) counts.maintenance += atomic_load(&part->slots[pcpu].asked) != atomic_load(&part->slots[pcpu].done);
    }
    if (!counts.transfers && !counts.known && !counts.maintenance) return;
    size_t length = sizeof counts + counts.transfers * sizeof(struct entry) + counts.known * sizeof(struct known) +
                    counts.maintenance * sizeof(struct maintenance);
    uint8_t *room = link_begin(&view->peer->link, FRAME_LOG, part->number, length);
    if (!room) return;
    uint8_t *at = room + sizeof counts;
    for (; view->sent != written; view->sent++, at += sizeof(struct entry)) {
        struct entry entry = entry_of(part, &ledger->journal[view->sent % JOURNAL]);
        memcpy(at, &entry, sizeof entry);
    }
    uint32_t told = 0, maintenance = 0;
    for (unsigned i = 0; i < part->member_count && told < counts.known; i++) {
        unsigned pcpu = part->members[i];
        struct known known = {.pcpu = pcpu};
        if (!concerns(part, pcpu, view->peer, at_home)) continue;
        known.time = atomic_load(&ledger->lanes[pcpu].known); /* who stops meanwhile is told of the next time */
        if (known.time == view->known[pcpu]) continue;
        view->known[pcpu] = known.time;
        memcpy(at, &known, sizeof known);
        at += sizeof known;
        told++;
    }
    for (unsigned i = 0; i < part->member_count && maintenance < counts.maintenance; i++) {
        unsigned pcpu = part->members[i];
        struct maintenance found = {.pcpu = pcpu};
        if (!maintains(part, pcpu, view->peer, at_home) || !maintenance_pick(&part->slots[pcpu], &found, LONG)) continue;
        atomic_store(&part->slots[pcpu].done, found.ticket); /* it is asked of it where it is */
        memcpy(at, &found, sizeof found);
        at += sizeof found;
        maintenance++;
    }
    counts.known = told;
    counts.maintenance = maintenance;
    memcpy(room, &counts, sizeof counts);
    link_end(&view->peer->link, (size_t)(at - room));
    note_shipped(part);
}

static bool take_entry(struct part *part, const struct peer *from, unsigned here, const struct entry *entry) {
    struct table *table = table_of(part, entry->segment);
    unsigned pcpus = part->lanes;
    if (!table || entry->page >= table->pages || entry->taker > pcpus || entry->owner > pcpus) return false;
    bool at_home = here == part->home;
    unsigned holder = at_home ? from->node : part->home;
    if (entry->taker != SHARED && part->nodes[entry->taker - 1] == here) return false;
    struct ownership *own = &table->entries[entry->page];
    own->let_go = entry->let_go;
    own->owner = entry->owner;
    if (entry->written) own->holder = (uint16_t)(holder + 1);
    ledger_record(part->ledger, (struct transfer){.page = entry->page, .segment = entry->segment, .taker = entry->taker,
                                                  .written = entry->written});
    return true;
}

bool log_take(struct part *part, struct view *from, unsigned here, const uint8_t *body, size_t length) {
    struct counts counts;
    bool at_home = here == part->home;
    if (length < sizeof counts) return false;
    memcpy(&counts, body, sizeof counts);
    if (counts.transfers > JOURNAL || counts.known > MOST_KNOWN || counts.maintenance > MOST_KNOWN) return false;
    size_t due = sizeof counts + counts.transfers * sizeof(struct entry) + counts.known * sizeof(struct known) +
                 counts.maintenance * sizeof(struct maintenance);
    if (length != due) return false;
    /* Nobody records where another does: it has had all that there is. */
    if (counts.transfers && from->sent != atomic_load(&part->ledger->written)) return false;
    const uint8_t *at = body + sizeof counts;
    for (uint32_t i = 0; i < counts.transfers; i++, at += sizeof(struct entry)) {
        struct entry entry;
        memcpy(&entry, at, sizeof entry);
        if (!take_entry(part, from->peer, here, &entry)) return false;
    }
    if (counts.transfers) from->sent = atomic_load(&part->ledger->written);
    for (uint32_t i = 0; i < counts.known; i++, at += sizeof(struct known)) {
        struct known known;
        memcpy(&known, at, sizeof known);
        if (known.pcpu >= part->lanes || part->nodes[known.pcpu] == here) return false;
        if (at_home && part->nodes[known.pcpu] != from->peer->node) return false;
        atomic_store(&part->ledger->lanes[known.pcpu].known, known.time);
        from->known[known.pcpu] = known.time;
    }
    for (uint32_t i = 0; i < counts.maintenance; i++, at += sizeof(struct maintenance)) {
        struct maintenance asked;
        memcpy(&asked, at, sizeof asked);
        if (asked.pcpu >= part->lanes || part->nodes[asked.pcpu] == NOWHERE || asked.count > PENDING_PAGES) return false;
        if (!at_home && part->nodes[asked.pcpu] != here) return false;
        maintenance_put(&part->slots[asked.pcpu], &asked, LONG);
    }
    note_shipped(part);
    for (unsigned i = 0; i < part->view_count; i++)
        if (atomic_load(&part->ledger->written) - part->views[i].sent >= JOURNAL / 4) part_ship(part, &part->views[i]);
    return true;
}
