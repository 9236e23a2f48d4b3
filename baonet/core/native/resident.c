/*
 * A page of another node. Who needs it waits in the middle of its instruction: no time of the guest passes, and nobody takes
 * anything from it, so there is nothing to repeat.
 */
#include "resident.h"

#include "clock.h"
#include "futex.h"

#define LOOK 1u /* nanoseconds, before it sleeps */

static void fetch(struct core *core, struct shared_page page) {
    struct lane *lane = &core->ledger->lanes[core->index];
    lane->segment = page.segment;
    lane->page = page.page;
    atomic_store(&lane->wants, WANTS_PAGE);
    ledger_call(core->ledger, core->index);
    for (uint64_t began = host_now(); atomic_load(&lane->wants) == WANTS_PAGE;) {
        if (host_now() - began < LOOK)
            __builtin_ia32_pause();
        else
            futex_wait(&lane->wants, WANTS_PAGE, 0);
    }
}

void resident_make(struct core *core, struct shared_page page) {
    if (__builtin_expect(page.table[page.page].holder != HERE, false)) fetch(core, page);
}

void resident_make_region(struct core *core, const struct region *region, uint64_t ipa) {
    if (!region->owners) return;
    resident_make(core, (struct shared_page){region->owners, (uint32_t)((ipa - region->ipa) / PAGE_SIZE), region->segment});
}
