/*
 * Each node has all of a cluster: at a window's end it puts what all of its pcpus have asked for in order by itself, and comes to the
 * same as the others. So logs travel: from where a pcpu is home, before the word that it has stopped, and from home to all others when
 * the window ends, before anybody is told to go on.
 *
 * Who has a line (memsys/coherence.h) is to be known in mid-window, to whoever has the right to the page. As with transfers of pages, who
 * gets such a right goes on only after whoever had it has stopped. So what a pcpu has done with such lines goes ahead of all else that
 * is said to a node, as the ledger's transfers do, and whoever is told to go on has all of it, in whatever order of the pcpus. What is
 * told earlier, while others go on, is of lines at which they do not look then. What pcpus ask of each other's models (siblings.h) goes the same way, and is asked
 * before the window has ended.
 */
#include "weaving.h"

#include <stdlib.h>
#include <string.h>

#include "maintenance.h"

#define RECORDS 16384u /* of a frame at most */

struct logged_frame { /* and then the records */
    uint64_t window, begin;
    uint32_t loom, party, first, count, wait, unused;
};
struct edge_frame {
    uint64_t window, now;
    uint32_t loom, unused;
};
struct moved_frame { /* and then the moves */
    uint64_t first;
    uint32_t loom, party, count, unused;
};

const char *weaving_add(struct part *part, const struct memsys_weave *weave, unsigned first, const unsigned owners[]) {
    if (part->timing) return "under the host's clock memory takes no time";
    if (first + weave->shape.parties > part->lanes) return "a cluster of pcpus that the machine has not";
    struct loom *looms = realloc(part->looms, (part->loom_count + 1) * sizeof *looms);
    if (!looms) return "there is no memory for it";
    part->looms = looms;
    for (unsigned i = 0; i < part->view_count; i++)
        if (!part->views[i].moved && !(part->views[i].moved = calloc(part->lanes, sizeof(uint64_t)))) return "there is no memory for it";
    struct loom *loom = &looms[part->loom_count++];
    *loom = (struct loom){.weave = *weave, .first = first};
    memcpy(loom->owners, owners, weave->shape.parties * sizeof *owners);
    memsys_weave_make(&loom->weave);
    return NULL;
}

void weaving_end(struct part *part) {
    for (unsigned i = 0; i < part->view_count; i++) free(part->views[i].moved);
    free(part->looms);
}

static struct memsys_view joined(struct loom *loom, unsigned party) {
    struct memsys_view view = {0};
    memsys_weave_join(&loom->weave, party, &view);
    return view;
}

static struct memsys_log *log_of(struct loom *loom, unsigned party) { return joined(loom, party).log; }

/* ---- What goes ahead of all else ---- */

/* Whether what is said to a pcpu goes there. */
static bool is_beyond(const struct part *part, const struct view *view, unsigned pcpu) {
    return view->peer->node == part->home ? part->processes[pcpu] == NOWHERE : part->nodes[pcpu] == view->peer->node;
}

/* Whether that node may say what a pcpu has done. */
static bool is_told_by(const struct courier *courier, const struct part *part, const struct view *from, unsigned pcpu) {
    unsigned node = part->nodes[pcpu];
    return courier->node == part->home ? node == from->peer->node : node != courier->node && node != NOWHERE;
}

/* Behind what this node may have had, and said, in a life before. */
static void say_moves(struct part *part, struct view *view, unsigned number, unsigned party) {
    const struct loom *loom = &part->looms[number];
    const struct memsys_moves *moves = memsys_weave_moves(&loom->weave, party);
    uint64_t written = atomic_load_explicit(&moves->written, memory_order_acquire), settled = atomic_load(&moves->settled);
    uint64_t *told = &view->moved[loom->first + party], capacity = memsys_log_capacity(loom->weave.shape.window);
    if (*told < settled) *told = settled;
    while (*told < written && written - settled <= capacity) {
        struct moved_frame frame = {.first = *told, .loom = number, .party = party};
        frame.count = written - *told < RECORDS ? (uint32_t)(written - *told) : RECORDS;
        const uint64_t *from = moves->moves + (*told - settled);
        if (!link_say(&view->peer->link, FRAME_MOVED, part->number, &frame, sizeof frame, from, frame.count * sizeof *from)) return;
        *told += frame.count;
    }
}

static void say_asked(struct part *part, struct view *view, unsigned pcpu) {
    struct model_requests asked = {.pcpu = pcpu};
    if (!model_requests_pick(&part->slots[pcpu], &asked)) return;
    link_say(&view->peer->link, FRAME_ASKED, part->number, &asked, sizeof asked, NULL, 0);
}

void weaving_ship(struct part *part, struct view *view) {
    for (unsigned i = 0; i < part->loom_count; i++) {
        const struct loom *loom = &part->looms[i];
        for (unsigned party = 0; party < loom->weave.shape.parties; party++) {
            unsigned pcpu = loom->first + party;
            if (!is_beyond(part, view, pcpu)) say_moves(part, view, i, party);
            else if (part->nodes[pcpu] != NOWHERE) say_asked(part, view, pcpu);
        }
    }
}

/* The cluster of whose party a node says something; NULL: there is none such, or that is not for this node to say. */
static struct loom *told_of(const struct courier *courier, struct part *part, const struct view *from, uint32_t number, uint32_t party) {
    struct loom *loom = number < part->loom_count ? &part->looms[number] : NULL;
    return loom && party < loom->weave.shape.parties && is_told_by(courier, part, from, loom->first + party) ? loom : NULL;
}

static bool take_moved(const struct courier *courier, struct part *part, const struct view *from, const uint8_t *body, size_t length) {
    struct moved_frame frame;
    if (length < sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    if (frame.count > RECORDS || length != sizeof frame + frame.count * sizeof(uint64_t)) return false;
    struct loom *loom = told_of(courier, part, from, frame.loom, frame.party);
    if (!loom) return false;
    struct memsys_view view = joined(loom, frame.party);
    uint64_t moves[RECORDS];
    memcpy(moves, body + sizeof frame, frame.count * sizeof *moves);
    return view.cluster && memsys_coherence_repeat(view.cluster, frame.party, view.moves, frame.first, moves, frame.count);
}

static bool take_asked(const struct courier *courier, struct part *part, const struct view *from, const uint8_t *body, size_t length) {
    struct model_requests asked;
    if (length != sizeof asked) return false;
    memcpy(&asked, body, sizeof asked);
    if (asked.pcpu >= part->lanes || part->nodes[asked.pcpu] == NOWHERE || asked.requests.count > PENDING_REQUESTS) return false;
    bool here = part->nodes[asked.pcpu] == courier->node;
    if (!here && (courier->node != part->home || part->nodes[asked.pcpu] == from->peer->node)) return false;
    return model_requests_put(&part->slots[asked.pcpu], &asked);
}

/* ---- Windows ---- */

/* What is in a log from `first` on. */
static void say_log(struct part *part, struct view *view, unsigned number, unsigned party, uint32_t first) {
    struct loom *loom = &part->looms[number];
    const struct memsys_log *log = log_of(loom, party);
    struct logged_frame frame = {.window = memsys_weave_party(&loom->weave, party)->window, .begin = log->begin, .loom = number,
                                 .party = party, .wait = log->wait};
    while (first < log->count) {
        frame.first = first;
        frame.count = log->count - first < RECORDS ? log->count - first : RECORDS;
        const uint64_t *from = log->records + first;
        if (!link_say(&view->peer->link, FRAME_LOGGED, part->number, &frame, sizeof frame, from, frame.count * sizeof *from)) return;
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
    part_ship(part, view);
    struct loom *loom = &part->looms[number];
    struct edge_frame frame = {.window = loom->weave.shared->window, .now = now, .loom = number};
    for (unsigned party = 0; party < loom->weave.shape.parties; party++) {
        bool logged = memsys_weave_party(&loom->weave, party)->window == frame.window;
        if (logged && part->nodes[loom->first + party] != view->peer->node) say_log(part, view, number, party, 0);
    }
    link_say(&view->peer->link, FRAME_EDGE, part->number, &frame, sizeof frame, NULL, 0);
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
    if (frame.count > RECORDS || length != sizeof frame + frame.count * sizeof(uint64_t)) return false;
    struct loom *loom = told_of(courier, part, from, frame.loom, frame.party);
    if (!loom || frame.window != loom->weave.shared->window) return false;
    struct memsys_party *party = memsys_weave_party(&loom->weave, frame.party);
    struct memsys_log *log = log_of(loom, frame.party);
    if (party->window != frame.window || !frame.first) log->count = 0; /* all of it, also to who has had it: it was loaded there */
    if (frame.first != log->count || frame.count > log->capacity - log->count) return false;
    party->window = frame.window;
    party->elsewhere = 1;
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
    switch (kind) {
    case FRAME_LOGGED: return take_logged(courier, part, from, body, length);
    case FRAME_MOVED: return take_moved(courier, part, from, body, length);
    case FRAME_ASKED: return take_asked(courier, part, from, body, length);
    default: return courier->node != part->home && take_edge(part, body, length);
    }
}
