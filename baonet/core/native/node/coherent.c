/*
 * Rights to pages under the host's clock. Home has a directory (directory.c), and each node, home as well, knows what it has
 * itself (holder.c); what these decide is done here: frames, the bytes, the words in shared memory that cores look at (rights.c),
 * and what they are asked through their slots. Whatever guests' processes write into that memory, what is decided stands here.
 */
#include "coherent.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contents.h"
#include "directory.h"
#include "holder.h"
#include "pending.h"
#include "pl011_state.h"
#include "pulse.h"
#include "timing.h"

#define AHEAD 32u /* pages that are asked for at once, when they have been one after the other */
#define HOME 0u
#define MOST_ASKED 4096u /* maintenance that a node has asked and that has not been done */

struct page_frame {
    uint32_t page;
    uint16_t segment, life, count;
    uint8_t right, carries;
};
struct maintained_frame {
    uint64_t ticket;
    uint32_t pcpu, unused;
};

struct place {
    struct courier *courier;
    struct part *part;
    struct table *table;
    uint16_t segment;
    uint32_t page;
    struct says *says; /* of its directory, that somebody is amid: he goes on with what is added; else NULL */
};

static bool at_home(const struct place *at) { return at->courier->node == at->part->home; }
static bool is_here(const struct courier *courier, const struct part *part, unsigned pcpu) { return part->nodes[pcpu] == courier->node; }
static struct view *member_view(const struct place *at, unsigned member) { return &at->part->views[member - 1]; }
static unsigned member_of(const struct part *part, const struct view *view) { return (unsigned)(view - part->views) + 1; }
static struct holder_page *held(const struct place *at) { return &at->table->held[at->page]; }
static struct directory_page *directory(const struct place *at) { return &at->table->directory[at->page]; }
static struct ownership *entry(const struct place *at) { return &at->table->entries[at->page]; }

/* There is no memory for what others wait for. They know that this node is of no use, and do not wait. */
static void fail(struct part *part) {
    for (unsigned i = 0; i < part->view_count; i++) part->views[i].peer->link.failed = true;
}

static void act(const struct place *at, struct says *says);
static bool granted(const struct place *at, enum right right);
static void try_to_free(const struct place *at);

/* Where the page is, for who looks at the guest's memory. */
static unsigned holder_number(const struct place *at) {
    if (held(at)->right) return HERE;
    unsigned writer = at_home(at) ? directory(at)->writer : 0;
    return writer > HOME + 1 ? member_view(at, writer - 1)->peer->node + 1 : at_home(at) ? HERE : at->part->home + 1;
}

static void publish(const struct place *at) {
    entry(at)->holder = (uint16_t)holder_number(at);
    atomic_store(&entry(at)->right, held(at)->right);
}

static bool is_zero(const uint8_t *bytes) { return !bytes[0] && !memcmp(bytes, bytes + 1, GUEST_PAGE - 1); }

/* With its bytes, if `carries`; none, if they are zeroes. */
static void say_page(const struct place *at, struct view *view, enum frame_kind kind, enum right right, bool carries, unsigned count) {
    struct page_frame frame = {.page = at->page, .segment = at->segment, .life = at->table->life, .count = (uint16_t)count,
                               .right = (uint8_t)right, .carries = carries};
    bool bytes = carries && (at->table->device || !is_zero(at->table->bytes + (size_t)at->page * GUEST_PAGE));
    part_ship(at->part, view);
    uint8_t *room = link_begin(&view->peer->link, (uint16_t)kind, at->part->number, sizeof frame + (bytes ? contents_most(at->table, 1) : 0));
    if (!room) return;
    memcpy(room, &frame, sizeof frame);
    link_end(&view->peer->link, sizeof frame + (bytes ? contents_pack(at->table, at->page, 1, room + sizeof frame) : 0));
    if (carries) atomic_fetch_add(&at->courier->given, 1);
}

static bool place_bytes(const struct place *at, const uint8_t *bytes, size_t length) {
    if (length && !contents_fit(at->table, 1, bytes, length)) return false;
    if (length)
        contents_unpack(at->table, at->page, bytes, length);
    else if (at->table->device)
        return false;
    else
        memset(at->table->bytes + (size_t)at->page * GUEST_PAGE, 0, GUEST_PAGE);
    at->table->brought[at->page]++;
    atomic_fetch_add(&at->courier->brought, 1);
    return true;
}

/* Home may not read it: a member writes it, and is told to give it back. Nothing comes to home of that at once. */
static void ask_ahead(struct place at) {
    struct says says = {0};
    if (!directory_rests(directory(&at)) || directory_right(directory(&at), HOME) != RIGHT_NONE) return;
    directory_want(directory(&at), HOME, RIGHT_READ, &says);
    act(&at, &says);
}

/* Asks home, of which there is one. */
static void ask(const struct place *at, enum right right, unsigned count) {
    if (!at_home(at)) {
        say_page(at, &at->part->views[0], FRAME_WANT, right, false, count);
        return;
    }
    struct says own = {0}, *says = at->says ? at->says : &own;
    directory_want(directory(at), HOME, right, says);
    if (!at->says) act(at, says);
    struct place next = *at;
    for (next.page++; next.page < at->page + count; next.page++) ask_ahead(next);
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
        struct lane *lane = &at->part->ledger->lanes[pcpu];
        if (!is_here(at->courier, at->part, pcpu) || lane->segment != at->segment || lane->page != at->page) continue;
        enum right right = wanted(lane);
        if (right) want(at, pcpu, right);
    }
}

static bool granted(const struct place *at, enum right right) {
    if (!holder_granted(held(at), right)) return false;
    publish(at);
    serve_waiting(at);
    return true;
}

/* Home, or a member, keeps no more than `right`. */
static void gave(const struct place *at) {
    enum right left = holder_given(held(at));
    if (!at_home(at)) {
        say_page(at, &at->part->views[0], FRAME_GAVE, left, held(at)->carries, 1);
        return;
    }
    struct says own = {0}, *says = at->says ? at->says : &own;
    directory_gave(directory(at), HOME, left, says);
    if (!at->says) act(at, says);
}

static void finish(const struct place *at, const struct pending *pending) {
    if (!pending->from) {
        gave(at);
        return;
    }
    pending->from->asked--;
    struct maintained_frame frame = {.ticket = pending->ticket, .pcpu = pending->pcpu};
    part_say(at->part, pending->from, FRAME_MAINTAINED, &frame, sizeof frame);
}

static void keep_or_finish(const struct place *at, struct pending *pending) {
    if (pending_waits(at->part, pending)) {
        pending->next = at->part->pending;
        at->part->pending = pending;
        return;
    }
    finish(at, pending);
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
    publish(at);
    unsigned user = all ? atomic_exchange(&entry(at)->user, 0) : atomic_load(&entry(at)->user);
    struct pending *pending = user ? pending_new(at->part->member_count) : NULL;
    if (!user) gave(at);
    if (!user) return;
    if (!pending) {
        fail(at->part);
        return;
    }
    pending->segment = at->segment;
    pending->page = at->page;
    pending->all = all;
    for (unsigned i = 0; i < at->part->member_count; i++) {
        unsigned pcpu = at->part->members[i];
        if (is_here(at->courier, at->part, pcpu) && (user == SEVERAL || user == pcpu + 1)) pending_add(pending, pcpu);
    }
    keep_or_finish(at, pending);
}

/* False: not yet. */
static bool take_device_back(const struct place *at) {
    struct uart_state *state = (struct uart_state *)at->table->bytes;
    if (!held(at)->recalled) return true;
    if (!lock_device(state)) return false;
    holder_free(held(at));
    publish(at);
    atomic_store(&state->lock, 0);
    gave(at);
    return true;
}

/* Somebody here is still to use what was granted for him. */
static bool is_to_be_used(const struct place *at) {
    for (unsigned i = 0; i < at->part->member_count; i++) {
        unsigned pcpu = at->part->members[i];
        struct lane *lane = &at->part->ledger->lanes[pcpu];
        if (!is_here(at->courier, at->part, pcpu) || lane->segment != at->segment || lane->page != at->page) continue;
        if (atomic_load(&lane->wants) != WANTS_USE) continue;
        atomic_store(&lane->awaited, 1);
        if (atomic_load(&lane->wants) == WANTS_USE) return true;
    }
    return false;
}

static void defer(const struct place *at) {
    struct part *part = at->part;
    struct deferred *room = realloc(part->deferred, (part->deferred_count + 1) * sizeof *room);
    if (!room) {
        fail(part);
        return;
    }
    part->deferred = room;
    room[part->deferred_count++] = (struct deferred){at->segment, at->page};
}

static void try_to_free(const struct place *at) {
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

static bool recalled(const struct place *at, enum right right) {
    if (!holder_recalled(held(at), right)) return false;
    try_to_free(at);
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
                granted(at, say->right);
            else
                recalled(at, say->right);
        } else {
            if (say->kind == SAY_GRANT) publish(at); /* where it is now */
            say_page(at, member_view(at, say->member), say->kind == SAY_GRANT ? FRAME_GRANT : FRAME_RECALL, say->right, say->carries, 1);
        }
    }
}

static struct place place_of(struct courier *courier, struct part *part, unsigned segment, uint32_t page) {
    struct table *table = segment < part->table_count && part->tables[segment].entries ? &part->tables[segment] : NULL;
    if (table && page >= table->pages) table = NULL;
    return (struct place){.courier = courier, .part = part, .table = table, .segment = (uint16_t)segment, .page = page};
}

static void retry_deferred(struct courier *courier, struct part *part) {
    unsigned count = part->deferred_count;
    struct deferred *before = part->deferred;
    part->deferred = NULL;
    part->deferred_count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct place at = place_of(courier, part, before[i].segment, before[i].page);
        try_to_free(&at);
    }
    free(before);
}

static void look_at_pending(struct courier *courier, struct part *part) {
    struct pending *before = part->pending;
    part->pending = NULL;
    while (before) {
        struct pending *pending = before;
        before = before->next;
        struct place at = {.courier = courier, .part = part};
        if (!pending->from) at = place_of(courier, part, pending->segment, pending->page);
        keep_or_finish(&at, pending);
    }
}

/* What pcpus of this node have asked of one of another. */
static void pass_on_maintenance(struct part *part, struct view *view, unsigned pcpu) {
    struct maintenance found = {.pcpu = pcpu};
    struct slot *slot = &part->slots[pcpu];
    if (atomic_load(&slot->asked) == atomic_load(&slot->done)) return;
    if (!maintenance_pick(slot, &found, SHORTLY))
        pending_again(part);
    else if (found.tlb_all || found.count)
        part_say(part, view, FRAME_MAINTAIN, &found, sizeof found);
}

static struct view *way_to(struct courier *courier, struct part *part, unsigned pcpu) {
    if (courier->node != part->home) return &part->views[0];
    for (unsigned i = 0; i < part->view_count; i++)
        if (part->views[i].peer->node == part->nodes[pcpu]) return &part->views[i];
    return NULL;
}

void coherent_called(struct courier *courier, struct part *part, unsigned pcpu) {
    struct lane *lane = &part->ledger->lanes[pcpu];
    if (!is_here(courier, part, pcpu)) {
        struct view *view = way_to(courier, part, pcpu);
        if (view) pass_on_maintenance(part, view, pcpu);
        return;
    }
    retry_deferred(courier, part);
    look_at_pending(courier, part);
    enum right right = wanted(lane);
    struct place at = place_of(courier, part, lane->segment, lane->page);
    if (right && at.table) want(&at, pcpu, right);
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
    if ((frame->right != RIGHT_READ && frame->right != RIGHT_WRITE) || !frame->count || frame->count > AHEAD || frame->carries) return false;
    if (frame->count > at.table->pages - at.page) return false;
    for (unsigned i = 0; i < frame->count; i++, at.page++) {
        struct says says = {0};
        if (i && !may_go_ahead(&at, member)) continue;
        enum right right = directory_rests(directory(&at)) && is_idle(&at) ? RIGHT_WRITE : frame->right;
        directory_want(directory(&at), member, right, &says);
        act(&at, &says);
    }
    return true;
}

static bool take_grant(const struct place *at, const struct page_frame *frame, const uint8_t *bytes, size_t length) {
    if (frame->carries ? held(at)->right != RIGHT_NONE || !place_bytes(at, bytes, length) : length != 0) return false;
    return granted(at, frame->right);
}

static bool take_gave(const struct place *at, const struct view *from, const struct page_frame *frame, const uint8_t *bytes, size_t length) {
    unsigned member = member_of(at->part, from);
    bool wrote = directory_right(directory(at), member) == RIGHT_WRITE;
    if (frame->carries != wrote || (wrote ? !place_bytes(at, bytes, length) : length != 0)) return false;
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

/* Of each pcpu by each other, as many as nobody has who waits at barriers. */
static unsigned most_asked(const struct part *part) { return MOST_ASKED + 4 * part->member_count * part->member_count; }

static bool take_maintenance(struct courier *courier, struct part *part, struct view *from, const uint8_t *body, size_t length) {
    struct maintenance asked;
    if (length != sizeof asked) return false;
    memcpy(&asked, body, sizeof asked);
    if (asked.pcpu >= part->lanes || part->nodes[asked.pcpu] == NOWHERE || asked.count > PENDING_PAGES) return false;
    bool here = is_here(courier, part, asked.pcpu);
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
    struct view *on = here ? NULL : way_to(courier, part, asked.pcpu);
    if (pending_asked(part, pending, 0) && on) pass_on_maintenance(part, on, asked.pcpu);
    struct place at = {.courier = courier, .part = part};
    keep_or_finish(&at, pending);
    return true;
}

static bool take_maintained(struct courier *courier, struct part *part, const struct view *from, const uint8_t *body, size_t length) {
    struct maintained_frame frame;
    if (length != sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    if (frame.pcpu >= part->lanes || way_to(courier, part, frame.pcpu) != from || is_here(courier, part, frame.pcpu)) return false;
    struct slot *slot = &part->slots[frame.pcpu];
    if (frame.ticket > atomic_load(&slot->asked)) return false;
    if (frame.ticket > atomic_load(&slot->done)) atomic_store(&slot->done, frame.ticket);
    look_at_pending(courier, part);
    return true;
}

bool coherent_take(struct courier *courier, struct part *part, struct view *from, uint16_t kind, const uint8_t *body, size_t length) {
    switch (kind) {
    case FRAME_WANT:
    case FRAME_GRANT:
    case FRAME_RECALL:
    case FRAME_GAVE: return take_page(courier, part, from, kind, body, length);
    case FRAME_MAINTAIN: return take_maintenance(courier, part, from, body, length);
    case FRAME_MAINTAINED: return take_maintained(courier, part, from, body, length);
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
    publish(at);
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
    for (struct pending *next; part->pending; part->pending = next) {
        next = part->pending->next;
        free(part->pending);
    }
    free(part->deferred);
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
    for (struct pending **each = &part->pending; *each;) {
        struct pending *pending = *each;
        if (pending->from != view) {
            each = &pending->next;
            continue;
        }
        *each = pending->next;
        free(pending);
    }
    look_at_pending(courier, part);
}

/* No guest of the VM runs on any node. */
static void renew(struct courier *courier, struct part *part, struct table *table) {
    unsigned segment = (unsigned)(table - part->tables), kept = 0;
    for (struct pending **each = &part->pending; *each;) {
        struct pending *pending = *each;
        if (pending->from || pending->segment != segment) {
            each = &pending->next;
            continue;
        }
        *each = pending->next;
        free(pending);
    }
    for (unsigned i = 0; i < part->deferred_count; i++)
        if (part->deferred[i].segment != segment) part->deferred[kept++] = part->deferred[i];
    part->deferred_count = kept;
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
    retry_deferred(courier, part);
    look_at_pending(courier, part);
    for (unsigned i = 0; i < part->member_count; i++) {
        struct view *view = is_here(courier, part, part->members[i]) ? NULL : way_to(courier, part, part->members[i]);
        if (view) pass_on_maintenance(part, view, part->members[i]);
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
