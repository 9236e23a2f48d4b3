/*
 * Each node has all of a cluster: at a window's end it puts what all of its pcpus have asked for in order by itself, and comes to the
 * same as the others. So logs travel, and nothing else: from where a pcpu is home, before the word that it has stopped, and
 * from home to all others when the window ends, before anybody is told to go on.
 */
#include "weaving.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS 16384u /* of a frame at most */

struct logged_frame { /* and then the records */
    uint64_t window, begin;
    uint32_t loom, party, first, count, wait, unused;
};
struct edge_frame {
    uint64_t window, now;
    uint32_t loom, unused;
};

const char *weaving_add(struct part *part, const struct memsys_weave *weave, unsigned first, const unsigned owners[]) {
    if (part->timing) return "under the host's clock memory takes no time";
    if (first + weave->shape.parties > part->lanes) return "a cluster of pcpus that the machine has not";
    struct loom *looms = realloc(part->looms, (part->loom_count + 1) * sizeof *looms);
    if (!looms) return "there is no memory for it";
    part->looms = looms;
    struct loom *loom = &looms[part->loom_count++];
    *loom = (struct loom){.weave = *weave, .first = first};
    memcpy(loom->owners, owners, weave->shape.parties * sizeof *owners);
    memsys_weave_make(&loom->weave);
    return NULL;
}

void weaving_end(struct part *part) { free(part->looms); }

static struct memsys_log *log_of(struct loom *loom, unsigned party) {
    struct memsys_view view;
    memsys_weave_join(&loom->weave, party, &view);
    return view.log;
}

/* What is in a log from `first` on. */
static void say_log(struct part *part, struct view *view, unsigned number, unsigned party, uint32_t first) {
    struct loom *loom = &part->looms[number];
    const struct memsys_log *log = log_of(loom, party);
    struct logged_frame frame = {.window = memsys_weave_party(&loom->weave, party)->window, .begin = log->begin, .loom = number,
                                 .party = party, .wait = log->wait};
    while (first < log->count) {
        frame.first = first;
        frame.count = log->count - first < RECORDS ? log->count - first : RECORDS;
        size_t records = frame.count * sizeof *log->records;
        uint8_t *room = link_begin(&view->peer->link, FRAME_LOGGED, part->number, sizeof frame + records);
        if (!room) return;
        memcpy(room, &frame, sizeof frame);
        memcpy(room + sizeof frame, log->records + first, records);
        link_end(&view->peer->link, sizeof frame + records);
        first += frame.count;
    }
}

void weaving_tell(struct part *part, struct view *home, unsigned pcpu) {
    for (unsigned i = 0; i < part->loom_count; i++) {
        struct loom *loom = &part->looms[i];
        unsigned party = pcpu - loom->first;
        if (party >= loom->weave.shape.parties) continue;
        uint64_t window = memsys_weave_party(&loom->weave, party)->window;
        if (window != loom->weave.shared->window) continue; /* it has done nothing in the open one */
        if (loom->told[party].window != window) loom->told[party].count = 0;
        say_log(part, home, i, party, loom->told[party].count);
        loom->told[party].window = window;
        loom->told[party].count = log_of(loom, party)->count;
    }
}

static void say_edge(struct part *part, struct view *view, unsigned number, uint64_t now) {
    struct loom *loom = &part->looms[number];
    struct edge_frame frame = {.window = loom->weave.shared->window, .now = now, .loom = number};
    for (unsigned party = 0; party < loom->weave.shape.parties; party++) {
        bool logged = memsys_weave_party(&loom->weave, party)->window == frame.window;
        if (logged && part->nodes[loom->first + party] != view->peer->node) say_log(part, view, number, party, 0);
    }
    uint8_t *room = link_begin(&view->peer->link, FRAME_EDGE, part->number, sizeof frame);
    if (!room) return;
    memcpy(room, &frame, sizeof frame);
    link_end(&view->peer->link, sizeof frame);
}

void weaving_end_window(struct part *part) {
    struct ledger *ledger = part->ledger;
    uint32_t asked = atomic_load(&ledger->edges_asked);
    if (asked == atomic_load(&ledger->edges_shipped)) return;
    for (unsigned i = 0; i < part->loom_count; i++)
        if (memsys_weave_due(&part->looms[i].weave, ledger->edge))
            for (unsigned j = 0; j < part->view_count; j++) say_edge(part, &part->views[j], i, ledger->edge);
    atomic_store(&ledger->edges_shipped, asked);
    syscall(SYS_futex, &ledger->edges_shipped, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static bool take_logged(const struct courier *courier, struct part *part, const struct view *from, const uint8_t *body, size_t length) {
    struct logged_frame frame;
    if (length < sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    if (frame.loom >= part->loom_count || frame.count > RECORDS || length != sizeof frame + frame.count * sizeof(uint64_t)) return false;
    struct loom *loom = &part->looms[frame.loom];
    if (frame.party >= loom->weave.shape.parties || frame.window != loom->weave.shared->window) return false;
    unsigned node = part->nodes[loom->first + frame.party];
    if (courier->node == part->home ? node != from->peer->node : node == courier->node || node == NOWHERE) return false;
    struct memsys_party *party = memsys_weave_party(&loom->weave, frame.party);
    struct memsys_log *log = log_of(loom, frame.party);
    if (party->window != frame.window || !frame.first) log->count = 0; /* all of it, also to who has had it: it was loaded there */
    if (frame.first != log->count || frame.count > log->capacity - log->count) return false;
    party->window = frame.window;
    log->begin = frame.begin;
    log->wait = frame.wait;
    memcpy(log->records + log->count, body + sizeof frame, frame.count * sizeof *log->records);
    log->count += frame.count;
    return true;
}

static bool take_edge(struct part *part, const uint8_t *body, size_t length) {
    struct edge_frame frame;
    uint64_t charges[MEMSYS_PARTIES];
    if (length != sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    if (frame.loom >= part->loom_count) return false;
    struct loom *loom = &part->looms[frame.loom];
    if (frame.window != loom->weave.shared->window || !memsys_weave_due(&loom->weave, frame.now)) return false;
    memsys_weave_edge(&loom->weave, loom->owners, frame.now, charges);
    return true;
}

bool weaving_take(const struct courier *courier, struct part *part, struct view *from, uint16_t kind, const uint8_t *body, size_t length) {
    if (kind == FRAME_LOGGED) return take_logged(courier, part, from, body, length);
    return courier->node != part->home && take_edge(part, body, length);
}
