/*
 * A page of another node. Who needs it waits in the middle of its instruction: no time of the guest passes, and nobody takes
 * anything from it, so there is nothing to repeat.
 */
#include "resident.h"

#include "leave.h"

void resident_make(struct core *core, struct shared_page page) {
    if (__builtin_expect(page.table[page.page].holder != HERE, false) &&
        !ledger_fetch(core->ledger, core->index, page.segment, page.page))
        core_deserted();
}
