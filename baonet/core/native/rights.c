/*
 * Memory that several nodes have under the host's clock. For each page a node has the right to read it, or to read and write it, or
 * none (enum right), and others only what goes with that. The courier has the right come and go (node/coherent.c); a core reads it
 * in each fill of its TLB, and keeps no entry for which the node has lost it.
 *
 * - A core says that it uses the page, and then looks at the right; the courier takes the right, and then looks who uses it. So
 *   one of them sees the other.
 * - Who has used the page is asked through its slot to let go, and has when it says so, or is outside the guest. It serves at the
 *   start of a block, and while it waits for a page amid an instruction. It waits for nothing else there, so that it lets go of
 *   what others wait for, and there is no circle.
 * - What was granted for a core that waits is used before it goes: a single access, as an access needs a single page.
 *
 * Translations are made of bytes that the node may read, and go when it may not any more: others can only write to a page of which
 * this node has none. So maintenance of instruction caches has no need to go to other nodes. Amid an instruction translations
 * cannot go, the library may just be making one: they do at the start of the next block, before which none of them is entered.
 * TLB entries that were made from descriptors in the page stay until they are invalidated, as the architecture has it.
 */
#include "rights.h"

#include "cached.h"
#include "clock.h"
#include "code_map.h"
#include "leave.h"
#include "regions.h"

static bool suffices(const struct ownership *entry, bool write) {
    return atomic_load(&entry->right) >= (write ? RIGHT_WRITE : RIGHT_READ);
}

bool rights_may_write(const struct ownership *entry) { return suffices(entry, true); }

static void say_user(struct core *core, struct ownership *entry) {
    uint16_t me = (uint16_t)(core->index + 1), before = atomic_load(&entry->user);
    while (before != me && before != SEVERAL)
        if (atomic_compare_exchange_weak(&entry->user, &before, before ? SEVERAL : me)) break;
}

static void forget_code(struct core *core, uint64_t page) {
    unicorn.tb_invalidate(core->uc, page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
    core->scratch.leave_block = true; /* the block that is about to run may be one of them */
}

static void forget_later(struct core *core, uint64_t page) {
    struct scratch *scratch = &core->scratch;
    if (scratch->stale_count < STALE_PAGES)
        scratch->stale[scratch->stale_count] = page;
    scratch->stale_count++;
    slot_kick(core->slot, KICK_MAINTENANCE);
}

static void let_go(struct core *core, const struct recall *recall) {
    for (unsigned i = 0; i < core->region_count; i++) {
        struct region *region = &core->regions[i];
        if (!region->owners || region->segment != recall->segment || recall->page >= region->size / PAGE_SIZE) continue;
        uint64_t page = region_page(region, region->ipa + (uint64_t)recall->page * PAGE_SIZE);
        cached_drop(core, region, recall->page, recall->all);
        if (recall->all && code_map_is_code(core, page)) forget_later(core, page);
    }
}

void rights_tell(struct core *core) {
    _Atomic uint32_t *calls = &core->slot->calls;
    if (core->residence && atomic_load(calls) && atomic_exchange(calls, 0)) ledger_call(core->residence, core->index);
}

/* Lets go of entries of the TLB; of translations later. */
static void serve(struct core *core) {
    struct slot *slot = core->slot;
    if (atomic_load(&slot->recalls_asked) == atomic_load_explicit(&slot->recalls_done, memory_order_relaxed)) return;
    struct recall recalls[PENDING_RECALLS];
    slot_lock(slot);
    uint64_t asked = atomic_load(&slot->recalls_asked);
    unsigned count = slot->recall_count;
    bool all = slot->recall_all;
    memcpy(recalls, slot->recalls, count * sizeof *recalls);
    slot->recall_count = slot->recall_all = 0;
    slot_unlock(slot);
    if (all) { /* the queue was too short */
        unicorn.tlb_flush(core->cpu);
        core->scratch.stale_count = STALE_PAGES + 1;
        slot_kick(slot, KICK_MAINTENANCE);
    }
    for (unsigned i = 0; i < count; i++) let_go(core, &recalls[i]);
    atomic_store(&slot->recalls_done, asked);
    rights_tell(core);
}

void rights_use(struct core *core) {
    struct lane *lane = core->residence ? &core->residence->lanes[core->index] : NULL;
    if (!lane || atomic_load_explicit(&lane->wants, memory_order_relaxed) != WANTS_USE) return;
    atomic_store(&lane->wants, WANTS_NOTHING);
    if (atomic_exchange(&lane->awaited, 0)) ledger_call(core->residence, core->index);
}

void rights_serve(struct core *core) {
    struct scratch *scratch = &core->scratch;
    if (!core->residence) return;
    rights_use(core);
    serve(core);
    if (scratch->stale_count > STALE_PAGES) {
        scratch->flush_code = scratch->leave_block = true;
        FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST) = 1;
    } else {
        for (unsigned i = 0; i < scratch->stale_count; i++) forget_code(core, scratch->stale[i]);
    }
    scratch->stale_count = 0;
}

void rights_leave(struct core *core) {
    if (!core->residence) return;
    rights_use(core);
    rights_tell(core);
}

static void await(struct core *core, struct shared_page page, bool write) {
    struct ledger *residence = core->residence;
    struct lane *lane = &residence->lanes[core->index];
    struct slot *slot = core->slot;
    uint64_t begin = host_now();
    rights_use(core);
    lane->segment = page.segment;
    lane->page = page.page;
    atomic_store(&lane->wants, write ? WANTS_WRITE : WANTS_READ);
    ledger_call(residence, core->index);
    atomic_store(&slot->waits, 1);
    for (;;) {
        uint32_t poked = atomic_load(&slot->pokes);
        if (running == core) serve(core);
        if (atomic_load(&lane->wants) == WANTS_USE) break;
        if (atomic_load(&residence->deserted)) core_deserted();
        futex_wait(&slot->pokes, poked, 0);
    }
    atomic_store(&slot->waits, 0);
    core->state.pages_taken++;
    if (running == core) core_strain_waited(core, host_now() - begin);
}

void rights_enter(struct core *core, struct shared_page page, bool write) {
    struct ownership *entry = &page.table[page.page];
    say_user(core, entry);
    while (!suffices(entry, write)) {
        await(core, page, write);
        say_user(core, entry);
    }
}
