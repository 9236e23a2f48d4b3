/* Whether the bytes of a page are on this node, and how they come here (ledger.h). */
#ifndef BAONET_RESIDENT_H
#define BAONET_RESIDENT_H

#include "core.h"
#include "ledger.h"

/* A page that is in a table: of which, and as which of its pages. */
struct shared_page {
    struct ownership *table;
    uint32_t page;
    uint16_t segment;
};

/* In virtual time: returns when they are here. The caller may read the page, and nobody writes to it meanwhile. */
void resident_make(struct core *core, struct shared_page page);


#endif
