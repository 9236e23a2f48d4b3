/*
 * Maintenance that the architecture broadcasts, of TLBs and (pages.c) of instruction caches: it must have reached every
 * vCPU of the VM before the barrier that follows completes. The sender queues the request in the slot of each sibling,
 * kicks it, and waits until it has been served or the sibling is outside the guest: it serves what is queued before it
 * enters again. A waiting sender serves its own queue, so two senders never wait for each other.
 */
#include "broadcast.h"

#include <sched.h>

#include "clock.h"
#include "code_map.h"
#include "leave.h"
#include "rights.h"
#include "tlb.h"
#include "windows.h"

#define CACHE_LINE 64u

/*
 * While a request is served the TLB may change and translations go, so nothing is served where the library holds a
 * pointer into either: neither amid a store, nor while it translates.
 */

#define REQUEST 3u /* in the low bits of a RAM offset */

static void maintain(struct core *core, uint64_t code) {
    uint64_t start = code & ~(uint64_t)REQUEST;
    if ((code & REQUEST) == TRACK_PAGE) {
        tlb_track_page(core, start / PAGE_SIZE);
        return;
    }
    unicorn.tb_invalidate(core->uc, start, start + ((code & REQUEST) == DROP_PAGE ? PAGE_SIZE : CACHE_LINE));
    core->scratch.leave_block = true; /* the block that is about to run may be one of them */
}

void broadcast_service(struct core *core) {
    struct slot *slot = core->slot;
    rights_serve(core);
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
    if (all) windows_flush(core, (uint16_t)all);
    for (uint32_t i = 0; i < tlb_pages; i++)
        windows_flush_page(core, tlb[i] & PAGE_MASK, (uint16_t)(tlb[i] & ~PAGE_MASK));
    for (uint32_t i = 0; i < code_count; i++) maintain(core, code[i]);
    if (code_all) { /* the queue was too short */
        unicorn.tlb_flush(core->cpu);
        core->scratch.flush_code = core->scratch.leave_block = true;
        FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST) = 1;
    }
    atomic_store(&slot->done, asked);
    rights_tell(core);
}

/* In virtual time nobody asks whether it is in the guest: all stand when something is asked of it. */
static void show(struct core *core, uint32_t in_guest) {
    if (core->hz)
        atomic_store_explicit(&core->slot->in_guest, in_guest, memory_order_relaxed);
    else
        atomic_store(&core->slot->in_guest, in_guest);
}

void broadcast_enter(struct core *core) {
    show(core, 1);
    broadcast_service(core);
    core->scratch.leave_block = false;
}

/* While another vCPU has to do something first, which may have to wait for this one. */
void broadcast_wait(struct core *core, unsigned spins) {
    broadcast_service(core);
    if (spins > 100) sched_yield();
    __builtin_ia32_pause();
}

static void queue(uint32_t *count, uint64_t *pages, uint64_t page, uint32_t *all, uint32_t everything) {
    for (uint32_t i = 0; i < *count; i++)
        if (pages[i] == page) return;
    if (*count == PENDING_PAGES)
        *all |= everything;
    else
        pages[(*count)++] = page;
}

enum request { TLB_ALL, TLB_PAGE, CODE };

/* On another node, whose courier asks it in the place of this one's; translations there are of what it may read (rights.c). */
static bool is_away(const struct core *core, unsigned sibling) {
    return core->residence && core->residence->lanes[sibling].away;
}

static bool has_served(const struct core *core, unsigned i) {
    struct slot *slot = &core->slots[core->siblings[i]];
    return !atomic_load(&slot->in_guest) || atomic_load(&slot->done) >= core->tickets[i];
}

/* Those on this node, or those on others. */
static void wait_for(struct core *core, bool away) {
    for (unsigned i = 0; i < core->sibling_count; i++) {
        if (is_away(core, core->siblings[i]) != away) continue;
        for (unsigned spins = 0; !has_served(core, i); spins++) { /* wait: serve */
            if (away && atomic_load(&core->residence->deserted)) core_deserted();
            broadcast_wait(core, spins);
        }
    }
}

/*
 * Those on other nodes are asked at the next barrier, and waited for there: before that nothing has to be complete (rights.c), and
 * a guest invalidates many pages one after the other.
 */
static void broadcast(struct core *core, enum request kind, uint64_t what) {
    uint64_t *ticket = core->tickets;
    core->state.broadcasts++;
    for (unsigned i = 0; i < core->sibling_count; i++) {
        struct slot *slot = &core->slots[core->siblings[i]];
        if (kind == CODE && is_away(core, core->siblings[i])) continue;
        slot_lock(slot);
        switch (kind) {
        case TLB_ALL: slot->tlb_all |= what; break;
        case TLB_PAGE: queue(&slot->tlb_pages, slot->tlb_page, what, &slot->tlb_all, what & ~PAGE_MASK); break;
        case CODE: queue(&slot->code_count, slot->code, what, &slot->code_all, 1); break;
        }
        ticket[i] = atomic_fetch_add(&slot->asked, 1) + 1;
        slot_unlock(slot);
        if (!core->ledger && atomic_load(&slot->in_guest)) slot_kick(slot, KICK_MAINTENANCE);
        core->scratch.maintains |= is_away(core, core->siblings[i]);
    }
    if (core->ledger) return;
    wait_for(core, false);
}

void broadcast_finish(struct core *core) {
    if (!core->scratch.maintains) return;
    core->scratch.maintains = false;
    uint64_t begin = host_now();
    for (unsigned i = 0; i < core->sibling_count; i++)
        if (is_away(core, core->siblings[i]) && !has_served(core, i)) ledger_call(core->residence, core->siblings[i]);
    wait_for(core, true);
    if (running == core) core_strain_waited(core, host_now() - begin);
    if (core->scratch.leave_block) slot_kick(core->slot, KICK_MAINTENANCE); /* the block goes on, to others that may be dropped */
}

void broadcast_leave(struct core *core) {
    broadcast_finish(core);
    show(core, 0);
    rights_leave(core);
}

void broadcast_code(struct core *core, uint64_t ram_offset, enum code_request request) {
    if (core->sibling_count && !core->ledger) broadcast(core, CODE, ram_offset | request);
}

EXPORT void ARCH(tlb_flush_by_mmuidx_all_cpus_synced)(void *cpu, uint16_t map) {
    unicorn.tlb_flush_mmuidx_synced(cpu, map);
    if (!running) return;
    windows_forget(running);
    core_strain(running, FLUSH_STRAIN);
    if (running->sibling_count) broadcast(running, TLB_ALL, map);
}

EXPORT void ARCH(tlb_flush_page_by_mmuidx_all_cpus_synced)(void *cpu, uint64_t va, uint16_t map) {
    unicorn.tlb_flush_page_mmuidx_synced(cpu, va, map);
    if (!running) return;
    windows_forget(running);
    core_strain(running, MAINTENANCE_STRAIN);
    if (running->sibling_count) broadcast(running, TLB_PAGE, (va & PAGE_MASK) | map);
}
