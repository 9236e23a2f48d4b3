/*
 * Two pcpus on different nodes speak as two of one node do: each has rings with the other, and the courier of its node is at the
 * far ends of these. It takes bytes out of a ring that goes to another node, and its like there puts them into the ring of the same
 * two. Between nodes that are not home they go by home, which passes them on.
 *
 * Of each pair no more is on the way than RING_DATA bytes for which the other node has not said that they are in the ring there
 * (FRAME_ROOM): who takes nothing fills a ring, what is kept for it here, and then the ring of who speaks to it, which waits.
 *
 * What ends with its process, or with its node, is told to everybody at once, behind all that it said before.
 */
#include "ringing.h"

#include <stdlib.h>
#include <string.h>

#include "bell.h"
#include "coherent.h"
#include "ring.h"

#define EVERYBODY 0xffffu

/* Followed by the bytes; none: `from` has let go of `to`. */
struct ring_frame {
    uint16_t from, to;
};
/* As many of what `from` has said to `to` are in the ring; 0: nothing more is taken. */
struct room_frame {
    uint16_t from, to, bytes, unused;
};

/* Of a pcpu here and one that is not. */
struct strand {
    struct ring *come, *go;
    uint64_t put, taken;  /* at the ends of these that are played here */
    struct strand *next;  /* of those that were stopped */
    uint8_t *waiting;     /* what has come, and the ring has no room for */
    uint16_t here, far;
    uint16_t waits;       /* bytes that are in there, */
    uint16_t unsaid;      /* that are in the ring, which the other node has not been told, */
    uint16_t away;        /* and that were sent, of which it has not told that */
    bool used;            /* something was in the ring that goes */
    bool stopped;
    bool let_go;          /* the other node was told that `here` has let go, */
    bool refused;         /* that `here` takes nothing more, */
    bool far_let_go;      /* and has told either of `far` */
    bool far_refused;
};

/* What home keeps of two that are both elsewhere: bytes on the way, and what may be said but once. */
#define ON_THE_WAY 0x0fffu
#define HAS_LET_GO 0x1000u
#define HAS_REFUSED 0x2000u
_Static_assert(RING_DATA <= ON_THE_WAY, "what may be on the way");

struct ringing {
    uint8_t *lost; /* of those that are in the memory of rings here: */
    struct strand *strands; /* by `far`, then `here` */
    unsigned count;
    unsigned *first;   /* strand of each pcpu that is far, and behind the last one */
    uint16_t *waiting; /* of each that is far: its strands of which something waits */
    bool *gone;        /* everybody was told that it is lost */
    struct strand *stopped;
    uint16_t *ranks;   /* of each pcpu among the members */
    uint16_t *passed;  /* at home, by the ranks of who speaks and who hears */
};

static struct strand *find(const struct ringing *ringing, unsigned here, unsigned far) {
    unsigned low = ringing->first[far], high = ringing->first[far + 1];
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (ringing->strands[middle].here < here)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ringing->first[far + 1] && ringing->strands[low].here == here ? &ringing->strands[low] : NULL;
}

static void say_room(const struct courier *courier, struct part *part, const struct strand *strand, uint16_t bytes) {
    struct room_frame frame = {.from = strand->far, .to = strand->here, .bytes = bytes};
    part_say(part, part_way_to(courier, part, strand->far), FRAME_ROOM, &frame, sizeof frame);
}

static void say_let_go(struct part *part, struct view *view, unsigned from, unsigned to) {
    struct ring_frame frame = {.from = (uint16_t)from, .to = (uint16_t)to};
    part_say(part, view, FRAME_RING, &frame, sizeof frame);
}

static bool is_held(const struct view *view) { return view->peer->link.out.length > CONGESTED; }

static void stop(struct ringing *ringing, struct strand *strand) {
    if (strand->stopped) return;
    strand->stopped = true;
    strand->next = ringing->stopped;
    ringing->stopped = strand;
}

/* Nothing more is taken of who is here. */
static void shut(struct part *part, const struct strand *strand) {
    atomic_store(&strand->go->closed, 1);
    bell_call(&part->slots[strand->here]);
}

/* Takes what is in the ring to the other node, as much as may be on the way. Whether something was said. */
static bool send_out(struct courier *courier, struct part *part, struct strand *strand) {
    struct ringing *ringing = part->ringing;
    struct view *view = part_way_to(courier, part, strand->far);
    if (strand->let_go || ringing->gone[strand->here]) return false;
    strand->used = true;
    bool over = atomic_load(&strand->go->ended); /* before: what it put in came earlier */
    ptrdiff_t filled = strand->far_let_go || strand->far_refused || ringing->gone[strand->far] ? 0 : ring_filled(strand->go, strand->taken);
    if (filled < 0) { /* it does not keep to the rules */
        shut(part, strand);
        over = true;
        filled = 0;
    }
    size_t room = RING_DATA - strand->away, size = (size_t)filled < room ? (size_t)filled : room;
    over = over && size == (size_t)filled;
    if (!size && !over) return false;
    if (is_held(view)) return stop(ringing, strand), false;
    if (size) {
        coherent_rings(courier, part, strand->here, view);
        struct ring_frame frame = {.from = strand->here, .to = strand->far};
        part_ship(part, view);
        uint8_t *body = link_begin(&view->peer->link, FRAME_RING, part->number, sizeof frame + size);
        if (!body) return false;
        memcpy(body, &frame, sizeof frame);
        if (ring_get(strand->go, &strand->taken, body + sizeof frame, size)) bell_call(&part->slots[strand->here]);
        link_end(&view->peer->link, sizeof frame + size);
        strand->away = (uint16_t)(strand->away + size);
    }
    if (over) {
        strand->let_go = true;
        say_let_go(part, view, strand->here, strand->far);
    }
    return true;
}

/* Whether there is nothing more of it that goes, or nobody to whom it would. */
static bool is_empty(const struct ringing *ringing, const struct strand *strand) {
    if (!strand->used || strand->let_go || strand->far_let_go || strand->far_refused || ringing->gone[strand->far]) return true;
    return !ring_filled(strand->go, strand->taken);
}

static bool has_ended(const struct ringing *ringing, unsigned here) { return atomic_load((_Atomic uint8_t *)&ringing->lost[here]); }

static void tell_everybody(struct part *part, unsigned pcpu, const struct view *but) {
    for (unsigned i = 0; i < part->view_count; i++)
        if (&part->views[i] != but && !part->views[i].peer->lost) say_let_go(part, &part->views[i], pcpu, EVERYBODY);
}

/* Who is not here has gone: its like in this memory as well, when all that it said has come. */
static void settle(struct part *part, unsigned far) {
    struct ringing *ringing = part->ringing;
    unsigned end = ringing->first[far + 1];
    if (!ringing->gone[far] || ringing->waiting[far] || ringing->first[far] == end) return;
    atomic_store((_Atomic uint8_t *)&ringing->lost[far], 1);
    for (unsigned i = ringing->first[far]; i < end; i++) bell_call(&part->slots[ringing->strands[i].here]);
}

static void keep(struct courier *courier, struct ringing *ringing, struct strand *strand, size_t waits) {
    ringing->waiting[strand->far] = (uint16_t)(ringing->waiting[strand->far] + !!waits - !!strand->waits);
    atomic_fetch_add(&courier->held, waits - strand->waits);
    strand->waits = (uint16_t)waits;
}

/* How many bytes of `far` need not be kept any more: the ring has taken them, or takes nothing. */
static size_t put_in(struct courier *courier, struct part *part, struct strand *strand, const uint8_t *bytes, size_t size) {
    ptrdiff_t done = strand->refused || has_ended(part->ringing, strand->here) ? -1 : ring_put(strand->come, &strand->put, bytes, size);
    if (done < 0) {
        if (!strand->refused) say_room(courier, part, strand, 0);
        strand->refused = true;
        strand->unsaid = (uint16_t)(strand->unsaid + size); /* for ever, as it sends no more */
        return size;
    }
    strand->unsaid = (uint16_t)(strand->unsaid + done);
    if (done) bell_announce(&part->slots[strand->here], strand->far);
    if (strand->unsaid < RING_DATA / 2) return (size_t)done;
    say_room(courier, part, strand, strand->unsaid);
    strand->unsaid = 0;
    return (size_t)done;
}

/* When all that `far` said is in the ring, what has come of it. */
static void finish(struct part *part, struct strand *strand) {
    if (strand->waits) return;
    if (strand->far_let_go && !strand->refused) {
        atomic_store(&strand->come->ended, 1);
        bell_announce(&part->slots[strand->here], strand->far);
    }
    settle(part, strand->far);
}

/* There may be room in the ring. */
static void put_waiting(struct courier *courier, struct part *part, struct strand *strand) {
    if (!strand->waits) return;
    size_t left = strand->waits, done = put_in(courier, part, strand, strand->waiting, left);
    memmove(strand->waiting, strand->waiting + done, left - done);
    keep(courier, part->ringing, strand, left - done);
    finish(part, strand);
}

/* The process of a pcpu here has ended: it takes nothing more, and has gone when what it said before has. */
static void depart(struct courier *courier, struct part *part, unsigned here) {
    struct ringing *ringing = part->ringing;
    bool over = true;
    if (!has_ended(ringing, here) || ringing->gone[here]) return;
    for (unsigned i = 0; i < ringing->count; i++) {
        struct strand *strand = &ringing->strands[i];
        if (strand->here != here) continue;
        put_waiting(courier, part, strand);
        if (!strand->used) continue;
        send_out(courier, part, strand);
        over = over && is_empty(ringing, strand);
    }
    if (!over) return;
    ringing->gone[here] = true;
    tell_everybody(part, here, NULL);
}

static bool take_bytes(struct courier *courier, struct part *part, struct strand *strand, const uint8_t *bytes, size_t size) {
    if (strand->far_let_go || size > RING_DATA - (size_t)strand->waits - strand->unsaid) return false;
    if (!size) {
        strand->far_let_go = true;
        shut(part, strand);
        finish(part, strand);
        return true;
    }
    size_t done = strand->waits ? 0 : put_in(courier, part, strand, bytes, size);
    if (done == size) return true;
    if (!strand->waiting && !(strand->waiting = malloc(RING_DATA))) return false;
    memcpy(strand->waiting + strand->waits, bytes + done, size - done);
    keep(courier, part->ringing, strand, strand->waits + size - done);
    return true;
}

static bool take_room(struct courier *courier, struct part *part, struct strand *strand, uint16_t bytes) {
    if (bytes > strand->away || (!bytes && strand->far_refused)) return false;
    strand->away = (uint16_t)(strand->away - bytes);
    if (!bytes) {
        strand->far_refused = true;
        shut(part, strand);
    }
    send_out(courier, part, strand);
    depart(courier, part, strand->here);
    return true;
}

/* At home, of two that are elsewhere. What it lets pass no courier that keeps to the rules has to refuse. */
static bool may_pass(struct part *part, uint16_t kind, unsigned from, unsigned to, size_t bytes) {
    struct ringing *ringing = part->ringing;
    uint16_t *passed = &ringing->passed[ringing->ranks[from] * part->member_count + ringing->ranks[to]];
    uint16_t once = kind == FRAME_RING ? HAS_LET_GO : HAS_REFUSED, before = *passed & ON_THE_WAY;
    if (!bytes && *passed & once) return false;
    if (kind == FRAME_RING && (*passed & HAS_LET_GO || bytes > (size_t)RING_DATA - before)) return false;
    if (kind == FRAME_ROOM && bytes > before) return false;
    *passed = (uint16_t)(kind == FRAME_RING ? *passed + bytes : *passed - bytes);
    if (!bytes) *passed |= once;
    return true;
}

/* Everything of it has been said, and nobody here has to wait until it takes something. */
static void take_gone(struct courier *courier, struct part *part, unsigned pcpu, const struct view *from) {
    struct ringing *ringing = part->ringing;
    ringing->gone[pcpu] = true;
    if (courier->node == part->home) tell_everybody(part, pcpu, from);
    settle(part, pcpu);
    for (unsigned i = ringing->first[pcpu]; i < ringing->first[pcpu + 1]; i++) depart(courier, part, ringing->strands[i].here);
}

bool ringing_take(struct courier *courier, struct part *part, struct view *from, uint16_t kind, const uint8_t *body, size_t length) {
    struct room_frame frame = {0};
    struct ringing *ringing = part->ringing;
    size_t head = kind == FRAME_RING ? sizeof(struct ring_frame) : sizeof frame;
    bool is_home = courier->node == part->home;
    if (!ringing || length < head || (kind == FRAME_ROOM && length > head)) return false;
    memcpy(&frame, body, head);
    size_t bytes = kind == FRAME_RING ? length - head : frame.bytes;
    unsigned speaker = kind == FRAME_RING ? frame.from : frame.to, hearer = kind == FRAME_RING ? frame.to : frame.from;
    if (speaker >= part->lanes || part->nodes[speaker] == NOWHERE || part_is_here(courier, part, speaker)) return false;
    if (part_way_to(courier, part, speaker) != from) return false;
    if (kind == FRAME_RING && ringing->gone[speaker]) return false;
    if (hearer == EVERYBODY) return kind == FRAME_RING && !bytes && (take_gone(courier, part, speaker, from), true);
    if (hearer >= part->lanes || part->nodes[hearer] == NOWHERE) return false;
    if (!part_is_here(courier, part, hearer)) {
        if (!is_home || part->nodes[hearer] == part->nodes[speaker] || !may_pass(part, kind, frame.from, frame.to, bytes)) return false;
        part_say(part, part_way_to(courier, part, hearer), kind, body, length);
        return true;
    }
    struct strand *strand = find(ringing, hearer, speaker);
    if (!strand) return !is_home; /* who passes it on does not know who speaks with whom */
    if (ringing->gone[hearer]) return true;
    return kind == FRAME_RING ? take_bytes(courier, part, strand, body + head, bytes) : take_room(courier, part, strand, frame.bytes);
}

void ringing_called(struct courier *courier, struct part *part, unsigned pcpu) {
    struct ringing *ringing = part->ringing;
    if (!ringing) return;
    if (part_is_here(courier, part, pcpu)) {
        if (ringing->ranks[pcpu] != NOWHERE) depart(courier, part, pcpu);
        return;
    }
    unsigned begin = ringing->first[pcpu], end = ringing->first[pcpu + 1];
    if (begin == end) return;
    struct slot *slot = &part->slots[pcpu];
    for (unsigned word = 0; word * 64 < part->lanes; word++) {
        uint64_t bits = atomic_load(&slot->news[word]) ? atomic_exchange(&slot->news[word], 0) : 0;
        for (; bits; bits &= bits - 1) {
            struct strand *strand = find(ringing, word * 64 + (unsigned)__builtin_ctzll(bits), pcpu);
            if (strand) send_out(courier, part, strand);
        }
    }
    for (unsigned i = begin; i < end && ringing->waiting[pcpu]; i++) put_waiting(courier, part, &ringing->strands[i]);
}

void ringing_lost(struct courier *courier, struct part *part, const struct view *view) {
    for (unsigned i = 0; part->ringing && i < part->member_count; i++) {
        unsigned pcpu = part->members[i];
        if (part_is_here(courier, part, pcpu) || part_way_to(courier, part, pcpu) != view || part->ringing->gone[pcpu]) continue;
        take_gone(courier, part, pcpu, view);
    }
}

void ringing_look(struct courier *courier, struct part *part) {
    struct ringing *ringing = part->ringing;
    for (unsigned i = 0; ringing && i < part->member_count; i++) ringing_called(courier, part, part->members[i]);
    for (unsigned i = 0; ringing && i < ringing->count; i++)
        if (ringing->strands[i].used) send_out(courier, part, &ringing->strands[i]);
}

bool ringing_go_on(struct courier *courier, struct part *part) {
    bool goes = false;
    if (!part->ringing || !part->ringing->stopped) return false;
    struct strand *next = part->ringing->stopped;
    part->ringing->stopped = NULL;
    for (struct strand *strand; (strand = next);) {
        next = strand->next;
        strand->stopped = false;
        goes |= send_out(courier, part, strand);
        depart(courier, part, strand->here);
    }
    return goes;
}

static bool make_room(const struct courier *courier, struct part *part, struct ringing *ringing, unsigned count) {
    unsigned lanes = part->lanes;
    ringing->strands = calloc(count + 1u, sizeof *ringing->strands);
    ringing->first = calloc(lanes + 1u, sizeof *ringing->first);
    ringing->waiting = calloc(lanes, sizeof *ringing->waiting);
    ringing->gone = calloc(lanes, sizeof *ringing->gone);
    ringing->ranks = calloc(lanes, sizeof *ringing->ranks);
    bool is_home = courier->node == part->home;
    if (is_home) ringing->passed = calloc((size_t)part->member_count * part->member_count, sizeof *ringing->passed);
    return ringing->strands && ringing->first && ringing->waiting && ringing->gone && ringing->ranks && (ringing->passed || !is_home);
}

static bool fits(size_t size, uint64_t at) { return !(at % RING_SIZE) && at >= RING_SIZE && at < size && size - at >= RING_SIZE; }

const char *ringing_begin(const struct courier *courier, struct part *part, uint8_t *memory, size_t size, const struct ring_places *places,
                          unsigned count) {
    if (part->ringing) return "there is a memory of rings already";
    struct ringing *ringing = part->ringing = calloc(1, sizeof *ringing);
    if (!ringing || !make_room(courier, part, ringing, count)) return "no memory";
    if (size < part->lanes) return "that is no memory of rings";
    ringing->lost = memory;
    for (unsigned pcpu = 0; pcpu < part->lanes; pcpu++) ringing->ranks[pcpu] = NOWHERE;
    for (unsigned i = 0; i < part->member_count; i++) ringing->ranks[part->members[i]] = (uint16_t)i;
    for (unsigned i = 0; i < count; i++) {
        struct ring_places at = places[i];
        const struct ring_places *before = i ? &places[i - 1] : NULL;
        if (at.here >= part->lanes || at.far >= part->lanes) return "no such pcpu";
        if (!part_is_here(courier, part, at.here) || part_is_here(courier, part, at.far) || part->nodes[at.far] == NOWHERE) return "no such pair";
        if (before && (before->far > at.far || (before->far == at.far && before->here >= at.here))) return "pairs must be in order";
        if (!fits(size, at.come) || !fits(size, at.go)) return "no such ring";
        ringing->strands[i] = (struct strand){.come = (struct ring *)(memory + at.come), .go = (struct ring *)(memory + at.go),
                                              .here = at.here, .far = at.far};
        ringing->first[at.far + 1] = ++ringing->count;
    }
    for (unsigned pcpu = 0; pcpu < part->lanes; pcpu++)
        if (ringing->first[pcpu + 1] < ringing->first[pcpu]) ringing->first[pcpu + 1] = ringing->first[pcpu];
    return NULL;
}

void ringing_end(struct part *part) {
    struct ringing *ringing = part->ringing;
    if (!ringing) return;
    for (unsigned i = 0; i < ringing->count; i++) free(ringing->strands[i].waiting);
    free(ringing->strands);
    free(ringing->first);
    free(ringing->waiting);
    free(ringing->gone);
    free(ringing->ranks);
    free(ringing->passed);
    free(ringing);
    part->ringing = NULL;
}
