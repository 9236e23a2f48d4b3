/*
 * Rights to pages under the host's clock. Home has a directory (directory.c), and each node, home as well, knows what it has
 * itself (holder.c); what these decide is done here: frames, the bytes, the words in shared memory that cores look at (rights.c),
 * and what they are asked through their slots. Whatever guests' processes write into that memory, what is decided stands here.
 */
#include "coherent.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "passing.h"
#include "pulse.h"
#include "release.h"
#include "timing.h"

#define AHEAD 32u /* pages that are asked for at once, when they have been one after the other */

static void act(const struct place *at, struct says *says);

/* A member wants it of home, which this is. */
static void want_for(const struct place *at, unsigned member, enum right right) {
    struct says own = {0}, *says = at->says ? at->says : &own;
    directory_want(directory(at), member, right, says);
    if (!at->says) act(at, says);
}

/* Home may not read it: a member writes it, and is told to give it back. Nothing comes to home of that at once. */
static void ask_ahead(const struct place *at) {
    if (directory_rests(directory(at)) && directory_right(directory(at), HOME) == RIGHT_NONE) want_for(at, HOME, RIGHT_READ);
}

/* Asks home, of which there is one. */
static void ask(const struct place *at, enum right right, unsigned count) {
    if (!at_home(at)) {
        place_say(at, &at->part->views[0], FRAME_WANT, right, 0, count);
        return;
    }
    want_for(at, HOME, right);
    struct place next = *at;
    next.says = NULL; /* these are of other pages */
    for (next.page++; next.page < at->page + count; next.page++) ask_ahead(&next);
}

/* As many as have come one after the other, and are not here. */
static unsigned ahead(const struct place *at, enum right right) {
    struct table *table = at->table;
    table->run = at->page == table->next ? table->run < AHEAD ? 2 * table->run : AHEAD : 1;
    unsigned count = 1;
    while (right == RIGHT_READ && count < table->run && at->page + count < table->pages && !table->held[at->page + count].right) count++;
    table->next = at->page + count;
    return count;
}

static enum right wanted(const struct lane *lane) {
    uint32_t wants = atomic_load(&lane->wants);
    return wants == WANTS_READ ? RIGHT_READ : wants == WANTS_WRITE ? RIGHT_WRITE : RIGHT_NONE;
}

static void let_use(const struct place *at, unsigned pcpu) {
    at->part->granted[pcpu] = pulse_now();
    atomic_store(&at->part->ledger->lanes[pcpu].wants, WANTS_USE);
    slot_poke(&at->part->slots[pcpu]);
}

static void want(const struct place *at, unsigned pcpu, enum right right) {
    switch (holder_want(held(at), right)) {
    case HOLDER_HAS: let_use(at, pcpu); break;
    case HOLDER_ASKS: ask(at, right, ahead(at, right)); break;
    case HOLDER_WAITS: break;
    }
}

/* The pcpus here that wait for the page. */
static void serve_waiting(const struct place *at) {
    for (unsigned i = 0; i < at->part->member_count; i++) {
        unsigned pcpu = at->part->members[i];
        const struct lane *lane = place_lane(at, pcpu);
        enum right right = lane ? wanted(lane) : RIGHT_NONE;
        if (right) want(at, pcpu, right);
    }
}

static bool granted(const struct place *at, enum right right, bool round) {
    if (!holder_granted(held(at), right, round)) return false;
    place_publish(at);
    serve_waiting(at);
    return true;
}

void coherent_gave(const struct place *at) {
    enum right left = holder_given(held(at));
    if (!at_home(at)) {
        place_say(at, &at->part->views[0], FRAME_GAVE, left, held(at)->carries ? CARRIES : 0, 1);
        if (held(at)->offered) serve_waiting(at);
        return;
    }
    struct says own = {0}, *says = at->says ? at->says : &own;
    directory_gave(directory(at), HOME, left, says);
    if (!at->says) act(at, says);
}

static bool recalled(const struct place *at, enum right right) {
    if (!holder_recalled(held(at), right)) return false;
    if (!held(at)->offered) release_page(at);
    return true;
}

/* In that order: what comes of what home is told may make the directory say more, which is for behind the rest. */
static void act(const struct place *where, struct says *says) {
    struct place amid = *where, *at = &amid;
    at->says = says;
    for (unsigned i = 0; i < says->count; i++) {
        const struct say *say = &says->each[i];
        if (say->member == HOME) {
            if (say->kind == SAY_GRANT)
                granted(at, say->right, say->round);
            else
                recalled(at, say->right);
        } else {
            if (say->kind == SAY_GRANT) place_publish(at); /* where it is now */
            unsigned how = (say->carries ? CARRIES : 0) | (say->round ? GOES_ROUND : 0);
            place_say(at, member_view(at, say->member), say->kind == SAY_GRANT ? FRAME_GRANT : FRAME_RECALL, say->right, how, 1);
        }
    }
}

void coherent_called(struct courier *courier, struct part *part, unsigned pcpu) {
    struct lane *lane = &part->ledger->lanes[pcpu];
    if (!part_is_here(courier, part, pcpu)) {
        struct view *view = part_way_to(courier, part, pcpu);
        if (view) passing_send(part, view, pcpu);
        return;
    }
    release_retry(courier, part);
    release_look(courier, part);
    enum right right = wanted(lane);
    struct place at = place_of(courier, part, lane->segment, lane->page);
    if (right && at.table) want(&at, pcpu, right);
}

/* Who rings has done what belongs together, and who is rung looks at it: a page that goes round goes ahead. */
void coherent_rings(struct courier *courier, struct part *part, unsigned pcpu, const struct view *view) {
    if (!part->timing) return;
    part->granted[pcpu] = 0;
    release_retry(courier, part);
    struct lane *lane = &part->ledger->lanes[pcpu];
    struct place at = place_of(courier, part, lane->segment, lane->page);
    if (!at.table || at.table->device) return;
    if (!at_home(&at)) {
        if (holder_offer(held(&at))) release_page(&at);
        return;
    }
    if (directory_goes_round(directory(&at), member_of(part, view))) want_for(&at, member_of(part, view), RIGHT_READ);
}

/* A page that nobody at home has looked at since it came there is as well given away whole. */
static bool is_idle(const struct place *at) {
    return held(at)->right == RIGHT_WRITE && !held(at)->recalled && !at->table->device && !atomic_load(&entry(at)->user);
}

static bool may_go_ahead(const struct place *at, unsigned member) {
    const struct directory_page *page = directory(at);
    return directory_rests(page) && directory_right(page, member) == RIGHT_NONE && page->writer <= HOME + 1;
}

static bool take_want(struct place at, const struct view *from, const struct page_frame *frame) {
    unsigned member = member_of(at.part, from);
    if ((frame->right != RIGHT_READ && frame->right != RIGHT_WRITE) || !frame->count || frame->count > AHEAD || frame->how) return false;
    if (frame->count > at.table->pages - at.page) return false;
    for (unsigned i = 0; i < frame->count; i++, at.page++) {
        if (i && !may_go_ahead(&at, member)) continue;
        want_for(&at, member, directory_rests(directory(&at)) && is_idle(&at) ? RIGHT_WRITE : frame->right);
    }
    return true;
}

static bool take_grant(const struct place *at, const struct page_frame *frame, const uint8_t *bytes, size_t length) {
    if (frame->how & CARRIES ? held(at)->right != RIGHT_NONE || !place_put(at, bytes, length) : length != 0) return false;
    return granted(at, frame->right, frame->how & GOES_ROUND);
}

static bool take_gave(const struct place *at, const struct view *from, const struct page_frame *frame, const uint8_t *bytes, size_t length) {
    unsigned member = member_of(at->part, from);
    bool wrote = directory_right(directory(at), member) == RIGHT_WRITE;
    if ((frame->how & CARRIES) != (wrote ? CARRIES : 0) || (wrote ? !place_put(at, bytes, length) : length != 0)) return false;
    struct says says = {0};
    if (!directory_gave(directory(at), member, frame->right, &says)) return false;
    act(at, &says);
    return true;
}

static bool take_page(struct courier *courier, struct part *part, struct view *from, uint16_t kind, const uint8_t *body, size_t length) {
    struct page_frame frame;
    if (length < sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    struct place at = place_of(courier, part, frame.segment, frame.page);
    if (!at.table || frame.right > RIGHT_WRITE || at_home(&at) != (kind == FRAME_WANT || kind == FRAME_GAVE)) return false;
    if (frame.life != at.table->life) return true; /* of bytes that are no more */
    body += sizeof frame;
    length -= sizeof frame;
    switch (kind) {
    case FRAME_WANT: return !length && take_want(at, from, &frame);
    case FRAME_GRANT: return take_grant(&at, &frame, body, length);
    case FRAME_RECALL: return !length && recalled(&at, frame.right);
    default: return take_gave(&at, from, &frame, body, length);
    }
}

bool coherent_take(struct courier *courier, struct part *part, struct view *from, uint16_t kind, const uint8_t *body, size_t length) {
    switch (kind) {
    case FRAME_WANT:
    case FRAME_GRANT:
    case FRAME_RECALL:
    case FRAME_GAVE: return take_page(courier, part, from, kind, body, length);
    case FRAME_MAINTAIN:
    case FRAME_MAINTAINED: return passing_take(courier, part, from, kind, body, length);
    case FRAME_TIME:
    case FRAME_ASK:
    case FRAME_TELL: return timing_take(courier, part, from, kind, body, length);
    default: return false;
    }
}

static void forget_page(const struct place *at) {
    held(at)->right = at_home(at) ? RIGHT_WRITE : RIGHT_NONE;
    if (at_home(at)) directory_begin(directory(at));
    atomic_store(&entry(at)->user, 0);
    place_publish(at);
}

static void forget_pages(struct courier *courier, struct part *part, struct table *table) {
    struct place at = {.courier = courier, .part = part, .table = table};
    memset(table->held, 0, table->pages * sizeof *table->held);
    for (at.page = 0; at.page < table->pages; at.page++) forget_page(&at);
}

bool coherent_begin(const struct courier *courier, const struct part *part, struct table *table) {
    table->held = calloc(table->pages, sizeof *table->held);
    table->directory = courier->node == part->home ? calloc(table->pages, sizeof *table->directory) : NULL;
    if (!table->held || (courier->node == part->home && !table->directory)) return false;
    forget_pages((struct courier *)courier, (struct part *)part, table);
    return true;
}

void coherent_end(struct part *part) {
    release_end(part);
    for (unsigned i = 0; part->tables && i < part->table_count; i++) {
        free(part->tables[i].held);
        free(part->tables[i].directory);
    }
}

void coherent_lost(struct courier *courier, struct part *part, const struct view *view) {
    unsigned node = view->peer->node;
    for (unsigned i = 0; i < part->member_count; i++) /* nobody waits for what they would do */
        if (part->nodes[part->members[i]] == node) atomic_store(&part->slots[part->members[i]].in_guest, 0);
    for (unsigned segment = 0; courier->node == part->home && segment < part->table_count; segment++) {
        struct place at = place_of(courier, part, segment, 0);
        for (; at.table && at.page < at.table->pages; at.page++) {
            struct says says = {0};
            directory_lost(directory(&at), member_of(part, view), &says);
            act(&at, &says);
        }
    }
    release_forget_view(part, view);
    release_look(courier, part);
}

/* No guest of the VM runs on any node. */
static void renew(struct courier *courier, struct part *part, struct table *table) {
    release_forget_segment(part, (unsigned)(table - part->tables));
    table->life++;
    forget_pages(courier, part, table);
    atomic_store(&table->renewed, false);
}

/* Killed amid its guest, or while it waited for a page, it would be waited for by other VMs, which go on. */
static void forget_ended(struct part *part, unsigned pcpu) {
    struct lane *lane = &part->ledger->lanes[pcpu];
    uint8_t ended = 1;
    if (!atomic_compare_exchange_strong(&part->ended[pcpu], &ended, 2)) return;
    atomic_store(&part->slots[pcpu].in_guest, 0);
    atomic_store(&lane->wants, WANTS_NOTHING);
}

static void look_again(struct courier *courier, struct part *part) {
    part->again = 0;
    release_retry(courier, part);
    release_look(courier, part);
    for (unsigned i = 0; i < part->member_count; i++) {
        struct view *view = part_is_here(courier, part, part->members[i]) ? NULL : part_way_to(courier, part, part->members[i]);
        if (view) passing_send(part, view, part->members[i]);
    }
}

void coherent_look(struct courier *courier, struct part *part) {
    bool told = atomic_load(&part->told) && atomic_exchange(&part->told, false);
    for (unsigned i = 0; told && i < part->table_count; i++)
        if (part->tables[i].entries && atomic_load(&part->tables[i].renewed)) renew(courier, part, &part->tables[i]);
    for (unsigned i = 0; told && i < part->member_count; i++) forget_ended(part, part->members[i]);
    if (told || (part->again && part->again <= pulse_now())) look_again(courier, part);
}

uint64_t coherent_due(const struct part *part) { return part->again ? part->again : UINT64_MAX; }

void coherent_ended(struct part *part, unsigned pcpu) {
    if (!part->timing || pcpu >= part->lanes || part->nodes[pcpu] == NOWHERE) return;
    uint8_t lives = 0;
    atomic_compare_exchange_strong(&part->ended[pcpu], &lives, 1);
    atomic_store(&part->told, true);
}

void coherent_reset(struct courier *courier, struct part *part, struct table *table) {
    atomic_store(&table->renewed, true);
    if (!courier->begun) {
        renew(courier, part, table);
        return;
    }
    while (atomic_load(&table->renewed)) {
        atomic_store(&part->told, true);
        ledger_call(part->ledger, COURIER_NOBODY);
        usleep(100);
    }
}
