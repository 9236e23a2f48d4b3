/*
 * Ownership of pages. What the library has cached of a page, it has by a right to it:
 *
 * - an entry of the TLB that loads pass, or a translation of its code: the core may read the page;
 * - an entry that stores pass unseen: the page is the core's;
 * - and every entry, and every translation that may be found by its virtual address: the core may read the pages of
 *   translation tables from which the address was translated.
 *
 * When a right goes, all that was cached by it goes before the core runs again. So what an access finds does not depend on
 * whether it was cached, which is the host's business: it would have been granted.
 */
#include "ownership.h"

#include <sched.h>

#include "cached.h"
#include "clock.h"
#include "code_map.h"
#include "leave.h"
#include "modelled.h"
#include "regions.h"
#include "rights.h"

static uint16_t number_of(const struct core *core) { return (uint16_t)(core->index + 1); }

static bool may(const struct core *core, const struct ownership *entry, bool write) {
    return entry->owner == number_of(core) || (entry->owner == SHARED && !write);
}

/* What this one keeps the others must not miss. Its lane's number is as good as any. */
static void make_room(struct core *core) {
    for (unsigned spins = 0; ledger_is_full(core->ledger); spins++) {
        if (atomic_load(&core->ledger->deserted)) core_deserted();
        if (spins % 1000 == 0) ledger_call(core->ledger, core->index);
        sched_yield();
    }
}

static void take(struct core *core, struct shared_page page, bool write) {
    struct ownership *entry = &page.table[page.page];
    make_room(core);
    ledger_let_go(core->ledger, core->lanes, entry);
    entry->owner = write ? number_of(core) : SHARED;
    core->state.pages_taken++;
    ledger_record(core->ledger, (struct transfer){.page = page.page, .segment = page.segment, .taker = number_of(core), .written = write});
}

bool ownership_enter(struct core *core, struct shared_page page, bool write) {
    struct ownership *entry = &page.table[page.page];
    if (core->residence) {
        rights_enter(core, page, write);
        return true;
    }
    if (!may(core, entry, write)) {
        if (core->scratch.frozen) {
            core->scratch.need = (struct need){.page = true, .write = write, .segment = page.segment, .number = page.page};
            return false;
        }
        resident_make(core, page); /* before it is taken: then it is nobody else's to give */
        take(core, page, write);
    } else {
        resident_make(core, page);
    }
    clock_raise(core, entry->let_go);
    return true;
}

bool ownership_enter_region(struct core *core, const struct region *region, uint64_t ipa, bool write) {
    if (!region->owners) return true;
    return ownership_enter(core, (struct shared_page){region->owners, region_number(region, ipa), region->segment}, write);
}

void ownership_look(struct core *core, const struct region *region, uint64_t ipa) {
    if (!region->owners) return;
    struct shared_page page = {region->owners, region_number(region, ipa), region->segment};
    if (core->residence)
        rights_enter(core, page, false);
    else
        resident_make(core, page);
}

bool ownership_is_mine(const struct core *core, const struct region *region, uint64_t ipa) {
    if (!region->owners) return true;
    const struct ownership *entry = &region->owners[region_number(region, ipa)];
    return core->residence ? rights_may_write(entry) : entry->owner == number_of(core);
}

void ownership_note_walk(struct core *core, struct region *region, uint64_t ipa) {
    if (region->owners) region->cached[region_number(region, ipa)].walked = core->walks;
}

static void flush(struct core *core) {
    unicorn.tlb_flush(core->cpu);
    core->walks++;
}

static void drop_code(struct core *core, uint64_t page) {
    if (!code_map_is_code(core, page)) return;
    unicorn.tb_invalidate(core->uc, page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
    atomic_fetch_and(code_map_word(core, page), ~(CODE(page) | MODIFIED(page)));
}

static void drop(struct core *core, struct region *region, uint32_t number, bool written) {
    uint64_t ipa = region->ipa + (uint64_t)number * PAGE_SIZE, page = region_page(region, ipa);
    struct cached *cached = &region->cached[number];
    cached_drop(core, region, number, written);
    modelled_lose(core, region, ipa);
    if (!written) return;
    drop_code(core, page);
    if (cached->walked == core->walks) flush(core);
}

static void hear(struct core *core, const struct transfer *transfer) {
    if (transfer->taker == number_of(core)) return;
    for (unsigned i = 0; i < core->region_count; i++) {
        struct region *region = &core->regions[i];
        if (region->owners && region->segment == transfer->segment && transfer->page < region->size / PAGE_SIZE)
            drop(core, region, transfer->page, transfer->written);
    }
}

void ownership_show(struct core *core) {
    if (core->ledger) atomic_store_explicit(&core->ledger->lanes[core->index].known, core->state.seen, memory_order_relaxed);
}

void ownership_forget(struct core *core) {
    if (!core->ledger) return;
    core->walks++;
    modelled_lose_all(core);
    core->heard = atomic_load(&core->ledger->written);
}

void ownership_catch_up(struct core *core) {
    if (!core->ledger) return;
    uint64_t written = atomic_load_explicit(&core->ledger->written, memory_order_acquire);
    if (written - core->heard > JOURNAL) {
        flush(core);
        modelled_lose_all(core);
        core->scratch.flush_code = true;
        core->heard = written;
    }
    for (; core->heard != written; core->heard++) hear(core, &core->ledger->journal[core->heard % JOURNAL]);
}
