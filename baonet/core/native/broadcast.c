/*
 * Maintenance that the architecture broadcasts in the inner-shareable domain: TLBI ...IS and IC IVAU, IC IALLUIS must
 * have reached every vCPU of the VM before the DSB that follows completes. The sender queues the request in the slot
 * of each sibling, kicks it, and waits until it has been served or the sibling is outside the guest: it serves what is
 * queued before it enters again. A waiting sender serves its own queue, so two senders never wait for each other.
 */
#include "engine.h"

#include <sched.h>

#define CACHE_LINE 64u

static void slot_lock(struct slot *slot) {
    for (unsigned spins = 0; atomic_exchange_explicit(&slot->lock, 1, memory_order_acquire); spins++)
        if (spins > 200) sched_yield();
}
static void slot_unlock(struct slot *slot) { atomic_store_explicit(&slot->lock, 0, memory_order_release); }

void slot_kick(struct slot *slot, int32_t why) { atomic_fetch_or(&slot->kick, KICK_NOW | why); }

/* What is to be done with a RAM offset, in its low bits. */
enum { LINE, PAGE, TRACK, WHAT = 3 };

static void maintain(struct core *core, uint64_t code) {
    uint64_t start = code & ~(uint64_t)WHAT;
    if ((code & WHAT) == TRACK) {
        stage2_track_page(core, start / PAGE_SIZE);
        return;
    }
    unicorn.tb_invalidate(core->uc, start, start + ((code & WHAT) == PAGE ? PAGE_SIZE : CACHE_LINE));
    core->leave_block = true; /* the block that is about to run may be one of them */
}

void broadcast_service(struct core *core) {
    struct slot *slot = core->slot;
    if (atomic_load(&slot->asked) == atomic_load_explicit(&slot->done, memory_order_relaxed)) return;
    uint64_t tlb[PENDING_PAGES], code[PENDING_PAGES];
    slot_lock(slot);
    uint64_t asked = atomic_load(&slot->asked);
    uint32_t all = slot->tlb_all, tlb_pages = slot->tlb_pages, code_count = slot->code_count;
    bool code_all = slot->code_all;
    memcpy(tlb, slot->tlb_page, sizeof *tlb * tlb_pages);
    memcpy(code, slot->code, sizeof *code * code_count);
    slot->tlb_all = slot->tlb_pages = slot->code_count = slot->code_all = 0;
    slot_unlock(slot);
    if (all) unicorn.tlb_flush_mmuidx(core->cpu, all);
    for (uint32_t i = 0; i < tlb_pages; i++)
        unicorn.tlb_flush_page_mmuidx(core->cpu, tlb[i] & PAGE_MASK, tlb[i] & ~PAGE_MASK);
    for (uint32_t i = 0; i < code_count; i++) maintain(core, code[i]);
    if (code_all) { /* the queue was too short */
        unicorn.tlb_flush(core->cpu);
        core->flush_code = core->leave_block = true;
        FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST) = 1;
    }
    atomic_store(&slot->done, asked);
}

void broadcast_enter(struct core *core) {
    atomic_store(&core->slot->in_guest, 1);
    broadcast_service(core);
    core->leave_block = false;
}

void broadcast_leave(struct core *core) { atomic_store(&core->slot->in_guest, 0); }

static void queue(uint32_t *count, uint64_t *pages, uint64_t page, uint32_t *all, uint32_t everything) {
    for (uint32_t i = 0; i < *count; i++)
        if (pages[i] == page) return;
    if (*count == PENDING_PAGES)
        *all |= everything;
    else
        pages[(*count)++] = page;
}

enum request { TLB_ALL, TLB_PAGE, CODE };

static void broadcast(struct core *core, enum request kind, uint64_t what) {
    uint64_t ticket[MAX_SIBLINGS];
    core->broadcasts++;
    for (unsigned i = 0; i < core->sibling_count; i++) {
        struct slot *slot = &core->slots[core->siblings[i]];
        slot_lock(slot);
        switch (kind) {
        case TLB_ALL: slot->tlb_all |= what; break;
        case TLB_PAGE: queue(&slot->tlb_pages, slot->tlb_page, what, &slot->tlb_all, what & ~PAGE_MASK); break;
        case CODE: queue(&slot->code_count, slot->code, what, &slot->code_all, 1); break;
        }
        ticket[i] = atomic_fetch_add(&slot->asked, 1) + 1;
        slot_unlock(slot);
        if (atomic_load(&slot->in_guest)) slot_kick(slot, KICK_MAINTENANCE);
    }
    for (unsigned i = 0; i < core->sibling_count; i++) {
        struct slot *slot = &core->slots[core->siblings[i]];
        for (unsigned spins = 0; atomic_load(&slot->in_guest) && atomic_load(&slot->done) < ticket[i]; spins++) {
            broadcast_service(core);
            if (spins > 100) sched_yield();
            __builtin_ia32_pause();
        }
    }
}

EXPORT void tlb_flush_by_mmuidx_all_cpus_synced_aarch64(void *cpu, uint16_t map) {
    unicorn.tlb_flush_mmuidx_synced(cpu, map);
    if (running && running->sibling_count) broadcast(running, TLB_ALL, map);
}

EXPORT void tlb_flush_page_by_mmuidx_all_cpus_synced_aarch64(void *cpu, uint64_t va, uint16_t map) {
    unicorn.tlb_flush_page_mmuidx_synced(cpu, va, map);
    if (running && running->sibling_count) broadcast(running, TLB_PAGE, (va & PAGE_MASK) | map);
}

bool broadcast_is_code(struct core *core, uint64_t page) {
    return atomic_load_explicit(&core->code_map[page / 64], memory_order_relaxed) >> page % 64 & 1;
}

/* Before the page's bytes are read for a translation: whoever writes to them later must be seen, on every vCPU. */
void broadcast_mark_code(struct core *core, uint64_t ram_offset) {
    uint64_t page = ram_offset / PAGE_SIZE, bit = 1ull << page % 64;
    if (page / 64 >= core->map_words) Py_FatalError("baonet: Unicorn's RAM offsets are not what they were");
    if (atomic_load(&core->code_map[page / 64]) & bit) return;
    atomic_fetch_or(&core->code_map[page / 64], bit);
    stage2_track_page(core, page);
    if (core->sibling_count) broadcast(core, CODE, (page * PAGE_SIZE) | TRACK);
}

/* The page is data again; nobody keeps a translation of what it was. */
void broadcast_forget_code(struct core *core, uint64_t page) {
    uint64_t bit = 1ull << page % 64;
    atomic_fetch_and(&core->code_map[page / 64], ~bit);
    atomic_fetch_and(&core->modified_map[page / 64], ~bit);
    unicorn.tb_invalidate(core->uc, page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
    if (core->sibling_count) broadcast(core, CODE, (page * PAGE_SIZE) | PAGE);
}

/*
 * IC IVAU. A page of which nobody has translated code costs one look at the map. Of others the line is invalidated; a
 * guest that goes on through the lines of a page (it loads a program) gets the whole page invalidated and forgotten, so
 * that the rest costs nothing, while one that patches single instructions keeps the other translations of the page.
 */
#define LINES_OF_A_LOAD 4

void broadcast_invalidate_line(void *env, const void *ri, uint64_t va) {
    (void)env, (void)ri;
    struct core *core = running;
    uint64_t ipa;
    if (!stage2_translate(core, va, MMU_DATA_LOAD, &ipa)) return;
    struct region *region = stage2_find(core, ipa);
    if (!region || !region->host) return;
    uint64_t line = (region->ram_offset + (ipa - region->ipa)) / CACHE_LINE, page = line / (PAGE_SIZE / CACHE_LINE);
    atomic_thread_fence(memory_order_seq_cst);
    if (!broadcast_is_code(core, page)) return;
    core->invalidated++;
    core->lines_in_a_row = line == core->last_line + 1 && line % (PAGE_SIZE / CACHE_LINE) ? core->lines_in_a_row + 1 : 1;
    core->last_line = line;
    if (core->lines_in_a_row == LINES_OF_A_LOAD) {
        broadcast_forget_code(core, page);
        return;
    }
    unicorn.tb_invalidate(core->uc, line * CACHE_LINE, (line + 1) * CACHE_LINE);
    if (core->sibling_count) broadcast(core, CODE, (line * CACHE_LINE) | LINE);
}

static bool is_foreign(struct core *core, uint64_t page) {
    for (unsigned i = 0; i < core->region_count; i++) {
        struct region *region = &core->regions[i];
        if (region->foreign && page * PAGE_SIZE - region->ram_offset < region->size) return true;
    }
    return false;
}

/*
 * IC IALLU and IALLUIS. Linux does it for every page that it makes executable when the I-cache is VIPT, as on
 * Cortex-A53. Only translations of pages that were written to can be stale, and those are known.
 */
void broadcast_invalidate_all(void *env, const void *ri, uint64_t value) {
    (void)env, (void)ri, (void)value;
    struct core *core = running;
    atomic_thread_fence(memory_order_seq_cst);
    for (uint64_t word = 0; word < core->map_words; word++) {
        uint64_t code = atomic_load_explicit(&core->code_map[word], memory_order_relaxed);
        if (!code) continue;
        uint64_t modified = atomic_load_explicit(&core->modified_map[word], memory_order_relaxed);
        for (uint64_t rest = code; rest; rest &= rest - 1) {
            uint64_t page = word * 64 + (uint64_t)__builtin_ctzll(rest);
            if (modified >> page % 64 & 1 || is_foreign(core, page)) broadcast_forget_code(core, page);
        }
    }
}
