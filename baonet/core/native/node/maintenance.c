#include "maintenance.h"

#include <sched.h>
#include <string.h>

#include "requests.h"

#define TLB_KINDS 0xfffu /* the library has no more, and counts on that */

bool slot_try_lock(struct slot *slot, enum slot_tries tries) {
    for (unsigned tried = 0; tried < tries; tried++) {
        if (!atomic_exchange_explicit(&slot->lock, 1, memory_order_acquire)) return true;
        if (tried > 200) sched_yield();
    }
    return false;
}

bool maintenance_pick(struct slot *slot, struct maintenance *found, enum slot_tries tries) {
    if (atomic_load(&slot->asked) == atomic_load(&slot->done) || !slot_try_lock(slot, tries)) return false;
    found->ticket = atomic_load(&slot->asked);
    found->tlb_all = slot->tlb_all;
    found->count = slot->tlb_pages < PENDING_PAGES ? slot->tlb_pages : PENDING_PAGES;
    memcpy(found->pages, slot->tlb_page, sizeof found->pages);
    slot->tlb_all = slot->tlb_pages = 0;
    slot_unlock(slot);
    return true;
}

uint64_t maintenance_put(struct slot *slot, const struct maintenance *asked, enum slot_tries tries) {
    if (!slot_try_lock(slot, tries)) return UINT64_MAX;
    uint32_t all = slot->tlb_all | (asked->tlb_all & TLB_KINDS), count = slot->tlb_pages; /* whatever guests' processes write there */
    for (uint32_t i = 0; i < asked->count; i++) {
        if (count >= PENDING_PAGES)
            all |= asked->pages[i] & 0xfff;
        else
            slot->tlb_page[count++] = asked->pages[i];
    }
    slot->tlb_all = all;
    slot->tlb_pages = count;
    uint64_t ticket = atomic_fetch_add(&slot->asked, 1) + 1;
    slot_unlock(slot);
    return ticket;
}

bool model_requests_pick(struct slot *slot, struct model_requests *found) {
    if (!slot_try_lock(slot, SHORTLY)) return false;
    found->window = slot->window;
    found->requests = slot->asked_before; /* of windows before there is nothing: whoever ends one has had it picked */
    requests_add_all(&found->requests, &slot->asked_now);
    requests_clear(&slot->asked_before);
    requests_clear(&slot->asked_now);
    slot_unlock(slot);
    return found->requests.count || found->requests.all;
}

bool model_requests_put(struct slot *slot, const struct model_requests *asked) {
    if (!slot_try_lock(slot, LONG)) return false;
    requests_close_window(slot, asked->window);
    requests_add_all(&slot->asked_now, &asked->requests);
    slot_unlock(slot);
    return true;
}
