/* A request in a word: its kind, the ASID, and the bits of the address from a page's, or a line's, on. */
#include "siblings.h"

#include "requests.h"

#define KIND_BITS 3
#define ADDRESS_SHIFT 19 /* behind kind and ASID */
#define VA_BITS 57       /* of Sv57, the largest; extended from the highest */
_Static_assert(REQUEST_CODE_LINE < 1 << KIND_BITS, "a kind fits");
_Static_assert(ADDRESS_SHIFT + VA_BITS - MEMSYS_PAGE_SHIFT == 64, "an address fits");

static uint64_t packed(struct request request) {
    unsigned shift = request.kind == REQUEST_CODE_LINE ? MEMSYS_LINE_SHIFT : MEMSYS_PAGE_SHIFT;
    return request.address >> shift << ADDRESS_SHIFT | (uint64_t)request.asid << KIND_BITS | request.kind;
}

static struct request unpacked(uint64_t word) {
    struct request request = {.kind = word & ((1u << KIND_BITS) - 1), .asid = (uint16_t)(word >> KIND_BITS)};
    uint64_t address = word >> ADDRESS_SHIFT;
    if (request.kind == REQUEST_CODE_LINE) request.address = address << MEMSYS_LINE_SHIFT;
    else request.address = (uint64_t)((int64_t)(address << (64 - VA_BITS + MEMSYS_PAGE_SHIFT)) >> (64 - VA_BITS));
    return request;
}

void siblings_ask_one(struct core *core, unsigned pcpu, uint64_t window, struct request request) {
    struct slot *slot = &core->slots[pcpu];
    slot_lock(slot);
    requests_close_window(slot, window);
    requests_add(&slot->asked_now, packed(request));
    slot_unlock(slot);
}

void siblings_ask(struct core *core, uint64_t window, struct request request) {
    for (unsigned i = 0; i < core->sibling_count; i++) siblings_ask_one(core, core->siblings[i], window, request);
}

unsigned siblings_take(struct core *core, uint64_t window, struct request requests[SIBLINGS_REQUESTS]) {
    struct slot *slot = core->slot;
    unsigned count = 0;
    slot_lock(slot);
    requests_close_window(slot, window);
    struct requests *asked = &slot->asked_before;
    if (asked->all) {
        requests[count++] = (struct request){.kind = MEMSYS_TLBI_STAGE1};
        requests[count++] = (struct request){.kind = REQUEST_CODE};
    }
    for (uint32_t i = 0; i < asked->count && !asked->all; i++) requests[count++] = unpacked(asked->request[i]);
    requests_clear(asked);
    slot_unlock(slot);
    return count;
}
