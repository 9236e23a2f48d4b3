#include "maintenance.h"

#include <sched.h>
#include <string.h>

#define TLB_KINDS 0xfffu /* the library has no more, and counts on that */

bool slot_try_lock(struct slot *slot) {
    for (unsigned tries = 0; tries < 1000000; tries++) {
        if (!atomic_exchange_explicit(&slot->lock, 1, memory_order_acquire)) return true;
        if (tries > 200) sched_yield();
    }
    return false;
}

void slot_unlock(struct slot *slot) { atomic_store_explicit(&slot->lock, 0, memory_order_release); }

bool maintenance_pick(struct slot *slot, struct maintenance *found) {
    if (atomic_load(&slot->asked) == atomic_load(&slot->done) || !slot_try_lock(slot)) return false;
    found->ticket = atomic_load(&slot->asked);
    found->tlb_all = slot->tlb_all;
    found->count = slot->tlb_pages < PENDING_PAGES ? slot->tlb_pages : PENDING_PAGES;
    memcpy(found->pages, slot->tlb_page, sizeof found->pages);
    slot->tlb_all = slot->tlb_pages = 0;
    slot_unlock(slot);
    return true;
}

uint64_t maintenance_put(struct slot *slot, const struct maintenance *asked) {
    if (!slot_try_lock(slot)) return UINT64_MAX;
    slot->tlb_all |= asked->tlb_all & TLB_KINDS;
    for (uint32_t i = 0; i < asked->count; i++) {
        if (slot->tlb_pages == PENDING_PAGES)
            slot->tlb_all |= asked->pages[i] & 0xfff;
        else
            slot->tlb_page[slot->tlb_pages++] = asked->pages[i];
    }
    uint64_t ticket = atomic_fetch_add(&slot->asked, 1) + 1;
    slot_unlock(slot);
    return ticket;
}
