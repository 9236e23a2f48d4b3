/*
 * What vCPUs of a VM ask of one another's models of the memory system: TLB and instruction-cache maintenance that the architecture
 * broadcasts. What is asked in a window is done when the one who is asked begins a later one. By then all have come to the edge
 * between, so it is the same in every run; and it is the same in whatever order they have asked.
 */
#ifndef BAONET_SIBLINGS_H
#define BAONET_SIBLINGS_H

#include "core.h"

/* Kinds less than these are enum memsys_tlbi. */
enum { REQUEST_CODE = MEMSYS_TLBI_VA_ALL + 1, REQUEST_CODE_LINE };
struct request {
    unsigned kind;
    uint16_t asid;
    uint64_t address; /* virtual, of a page; of a line, physical */
};
#define SIBLINGS_REQUESTS PENDING_REQUESTS

/* Asks all others, in the window of this number; or one of them, by its pcpu. */
void siblings_ask(struct core *core, uint64_t window, struct request request);
void siblings_ask_one(struct core *core, unsigned pcpu, uint64_t window, struct request request);

/* What this one was asked in windows before; how much that is. */
unsigned siblings_take(struct core *core, uint64_t window, struct request requests[SIBLINGS_REQUESTS]);

#endif
