/* What cores here and other nodes are told of a page. Zeroes go without bytes. */
#include "place.h"

#include <string.h>

#include "contents.h"

struct place place_of(struct courier *courier, struct part *part, unsigned segment, uint32_t page) {
    struct table *table = segment < part->table_count && part->tables[segment].entries ? &part->tables[segment] : NULL;
    if (table && page >= table->pages) table = NULL;
    return (struct place){.courier = courier, .part = part, .table = table, .segment = (uint16_t)segment, .page = page};
}

struct lane *place_lane(const struct place *at, unsigned pcpu) {
    struct lane *lane = &at->part->ledger->lanes[pcpu];
    bool is = part_is_here(at->courier, at->part, pcpu) && lane->segment == at->segment && lane->page == at->page;
    return is ? lane : NULL;
}

/* Where the page is, for who looks at the guest's memory. */
static unsigned holder_number(const struct place *at) {
    if (held(at)->right) return HERE;
    unsigned writer = at_home(at) ? directory(at)->writer : 0;
    return writer > HOME + 1 ? member_view(at, writer - 1)->peer->node + 1 : at_home(at) ? HERE : at->part->home + 1;
}

void place_publish(const struct place *at) {
    entry(at)->holder = (uint16_t)holder_number(at);
    atomic_store(&entry(at)->right, held(at)->right);
}

static bool is_zero(const uint8_t *bytes) { return !bytes[0] && !memcmp(bytes, bytes + 1, GUEST_PAGE - 1); }

void place_say(const struct place *at, struct view *view, enum frame_kind kind, enum right right, unsigned how, unsigned count) {
    struct page_frame frame = {.page = at->page, .segment = at->segment, .life = at->table->life, .count = (uint16_t)count,
                               .right = (uint8_t)right, .how = (uint8_t)how};
    bool bytes = how & CARRIES && (at->table->device || !is_zero(at->table->bytes + (size_t)at->page * GUEST_PAGE));
    part_ship(at->part, view);
    uint8_t *room = link_begin(&view->peer->link, (uint16_t)kind, at->part->number, sizeof frame + (bytes ? contents_most(at->table, 1) : 0));
    if (!room) return;
    memcpy(room, &frame, sizeof frame);
    link_end(&view->peer->link, sizeof frame + (bytes ? contents_pack(at->table, at->page, 1, room + sizeof frame) : 0));
    if (how & CARRIES) atomic_fetch_add(&at->courier->given, 1);
}

bool place_put(const struct place *at, const uint8_t *bytes, size_t length) {
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
