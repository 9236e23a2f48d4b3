#include "weave.h"

#include <string.h>

#include "l2.h"

#define PAGE 0x1000u
#define LINE 64u

static size_t whole(size_t size, size_t of) { return (size + of - 1) & ~(of - 1); }
static size_t whole_pages(size_t size) { return whole(size, PAGE); }

static size_t cluster_size(const struct memsys_shape *shape) {
    return whole_pages(memsys_cluster_size(&shape->parameters, shape->extents, shape->extent_count));
}

void memsys_weave_open(struct memsys_weave *weave, const struct memsys_shape *shape, void *memory) {
    uint8_t *cluster = (uint8_t *)memory + whole_pages(sizeof(struct memsys_shared));
    weave->shape = *shape;
    weave->shared = memory;
    weave->cluster = (struct memsys_cluster *)cluster;
    weave->first = cluster + cluster_size(shape);
    weave->memsys = whole(sizeof(struct memsys_party), LINE);
    weave->l2 = weave->memsys + whole(memsys_size(&shape->parameters), LINE);
    weave->log = weave->l2 + whole(memsys_l2_size(&shape->parameters), LINE);
    weave->moves = weave->log + whole(memsys_log_size(shape->window), LINE);
    weave->size = whole_pages(weave->moves + memsys_moves_size(shape->window));
}

const char *memsys_shape_wrong(const struct memsys_shape *shape) {
    if (memsys_check(&shape->parameters).field) return "a memory system that cannot be";
    if (!shape->parties || shape->parties > MEMSYS_PARTIES) return "a cluster of no pcpu, or of too many";
    if (shape->extent_count > MEMSYS_EXTENTS) return "a cluster with memory in too many places";
    if (!shape->window) return "a cluster without windows";
    return shape->window >> RECORD_TIME_BITS ? "a cluster whose windows are too long for its logs" : NULL;
}

size_t memsys_weave_size(const struct memsys_shape *shape) {
    struct memsys_weave weave;
    memsys_weave_open(&weave, shape, NULL);
    return (size_t)(weave.first - (uint8_t *)weave.shared) + shape->parties * weave.size;
}

void memsys_weave_make(struct memsys_weave *weave) {
    if (weave->shared->made) return;
    const struct memsys_shape *shape = &weave->shape;
    memsys_cluster_init(weave->cluster, &shape->parameters, shape->extents, shape->extent_count);
    weave->shared->window = 1;
    weave->shared->end = shape->window;
    weave->shared->made = 1;
}

static bool party_plausible(const struct memsys_weave *weave, unsigned number) {
    const struct memsys_shape *shape = &weave->shape;
    const struct memsys_party *party = memsys_weave_party(weave, number);
    const uint8_t *own = (const uint8_t *)party;
    return !party->made || (memsys_plausible((const struct memsys *)(own + weave->memsys), &shape->parameters) &&
                            memsys_l2_plausible((const struct memsys_l2 *)(own + weave->l2), &shape->parameters) &&
                            memsys_log_plausible((const struct memsys_log *)(own + weave->log), shape->window) &&
                            memsys_moves_plausible(memsys_weave_moves(weave, number), shape->window));
}

bool memsys_weave_plausible(const struct memsys_weave *weave) {
    const struct memsys_shape *shape = &weave->shape;
    for (unsigned i = 0; i < shape->parties; i++)
        if (!party_plausible(weave, i)) return false;
    return !weave->shared->made || memsys_cluster_plausible(weave->cluster, &shape->parameters, shape->extents, shape->extent_count);
}

void memsys_weave_join(struct memsys_weave *weave, unsigned number, struct memsys_view *view) {
    struct memsys_party *party = memsys_weave_party(weave, number);
    uint8_t *own = (uint8_t *)party;
    view->memsys = (struct memsys *)(own + weave->memsys);
    view->l2 = (struct memsys_l2 *)(own + weave->l2);
    view->log = (struct memsys_log *)(own + weave->log);
    view->cluster = weave->shape.parties > 1 ? weave->cluster : NULL;
    view->moves = memsys_weave_moves(weave, number);
    view->party = number;
    if (party->made) return;
    memsys_init(view->memsys, &weave->shape.parameters);
    memsys_l2_init(view->l2, &weave->shape.parameters);
    memsys_log_init(view->log, weave->shape.window);
    memsys_moves_init(view->moves, weave->shape.window);
    party->made = 1;
}

void memsys_weave_begin(struct memsys_weave *weave, unsigned number, uint64_t now) {
    struct memsys_party *party = memsys_weave_party(weave, number);
    struct memsys_view view = {0};
    memsys_weave_join(weave, number, &view);
    memsys_adopt(view.l2, weave->cluster);
    memsys_window_begin(view.memsys, view.log, now, &party->outcome);
    memsys_coherence_begin(&view, now);
    party->window = weave->shared->window;
}

/* What has come of a window, with what a party has not taken yet of those before. */
static void add(struct memsys_outcome *sum, const struct memsys_outcome *outcome) {
    sum->charge += outcome->charge;
    sum->of_hypervisor += outcome->of_hypervisor;
    sum->l2_misses += outcome->l2_misses;
    sum->hypervisor_l2_misses += outcome->hypervisor_l2_misses;
    sum->wait = outcome->wait;
}

static void merge(struct memsys_weave *weave, const struct memsys_entry entries[], uint64_t charges[]) {
    struct memsys_outcome outcomes[MEMSYS_PARTIES];
    memsys_merge(weave->cluster, entries, weave->shape.parties, weave->shape.window, outcomes);
    for (unsigned i = 0; i < weave->shape.parties; i++) {
        struct memsys_party *party = memsys_weave_party(weave, i);
        add(&party->outcome, &outcomes[i]);
        party->charged += charges[i] = outcomes[i].charge;
    }
}

/* NULL: there is none, or what is here is not what it has come to. */
static struct memsys *hierarchy_of(const struct memsys_weave *weave, unsigned number) {
    struct memsys_party *party = memsys_weave_party(weave, number);
    return party->made && !party->elsewhere ? (struct memsys *)((uint8_t *)party + weave->memsys) : NULL;
}

static void settle(struct memsys_weave *weave) {
    struct memsys *memsys[MEMSYS_PARTIES];
    const struct memsys_moves *moves[MEMSYS_PARTIES];
    for (unsigned i = 0; i < weave->shape.parties; i++) {
        memsys[i] = hierarchy_of(weave, i);
        moves[i] = memsys_weave_moves(weave, i);
    }
    memsys_coherence_hear(weave->cluster, memsys, moves, weave->shape.parties);
    for (unsigned i = 0; i < weave->shape.parties; i++) memsys_coherence_settle(weave->cluster, i, memsys_weave_moves(weave, i));
}

/* Of a party that has asked for nothing. */
static struct memsys_entry entry_of(const struct memsys_weave *weave, unsigned number, unsigned owner) {
    return (struct memsys_entry){.moves = memsys_weave_moves(weave, number),
                                 .owner = owner,
                                 .memsys = hierarchy_of(weave, number),
                                 .replica = (struct memsys_l2 *)((uint8_t *)memsys_weave_party(weave, number) + weave->l2)};
}

void memsys_weave_edge(struct memsys_weave *weave, const unsigned owners[], uint64_t now, uint64_t charges[]) {
    struct memsys_shared *shared = weave->shared;
    struct memsys_entry entries[MEMSYS_PARTIES];
    bool busy = false;
    for (unsigned i = 0; i < weave->shape.parties; i++) {
        struct memsys_party *party = memsys_weave_party(weave, i);
        struct memsys_view view = {0};
        charges[i] = 0;
        entries[i] = entry_of(weave, i, owners[i]);
        if (party->window != shared->window) continue;
        memset(&party->outcome, 0, sizeof party->outcome); /* it has taken that */
        memsys_weave_join(weave, i, &view);
        if (!view.log->count) continue;
        entries[i].log = view.log;
        busy = true;
    }
    if (busy) merge(weave, entries, charges);
    settle(weave);
    uint64_t begin = now - now % weave->shape.window;
    if (!busy || begin > shared->end) /* the channel has been idle */
        for (unsigned i = 0; i < weave->shape.parties; i++) memsys_weave_party(weave, i)->outcome.wait = 0;
    shared->window++;
    shared->end = begin + weave->shape.window;
}
