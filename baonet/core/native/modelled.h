/*
 * The model of a core's memory system (memsys/), as the core's guest and its hypervisor use it: what they do costs time there and
 * then. Of virtual time alone. A core that has none knows nothing of this.
 */
#ifndef BAONET_MODELLED_H
#define BAONET_MODELLED_H

#include "core.h"
#include "memsys.h"
#include "physical.h"
#include "siblings.h"

/* What the hypervisor does for an exit: instructions, and the lines that it touches, by their physical addresses. */
struct footprint {
    bool known;
    uint32_t instructions, cycles; /* cycles: beside what the instructions and the lines take */
    struct touched {
        uint64_t *lines;
        unsigned count;
    } touched[MEMSYS_TOUCH_FETCH + 1]; /* by enum memsys_touch */
};

struct modelled {
    struct memsys *memsys; /* the view's */
    struct core *core;
    struct physical physical;
    struct footprint footprints[COSTS];
    uint64_t window; /* that the core is in, by its number */
    struct several {
        uint64_t pc, loads, stores;
        int64_t left;
        int32_t budget;
    } several;      /* the last instruction that tells of several accesses: what was counted before it, and was left in its block */
    struct again {
        uint64_t pc, told;
    } again; /* an instruction that was refused a page and is to be done again: how many accesses it has told of */
    void (*watch)(struct core *core); /* who counts what the memory system does, and is to look at it; NULL: nobody */
    void *own;       /* memory of the model, all of it, that nobody else has; NULL: it is shared by the cluster */
    size_t own_size;
};

/*
 * The helpers that code calls (observe.h), with the core's own. Of an access they are told the size and the kind (modelled_info), but
 * for loads and stores, whose size has to be a power of two: memsys_aligned_mask.
 */
static inline uint32_t modelled_info(unsigned size, enum memsys_kind kind) { return size | (uint32_t)kind << 8; }
void ARCH_OBSERVED_LOAD(void *memsys, uint64_t address, int32_t mask);
void ARCH_OBSERVED_STORE(void *memsys, uint64_t address, int32_t mask);
void ARCH_OBSERVED_OTHER(void *memsys, uint64_t address, uint32_t info);
void ARCH_OBSERVED_BLOCK(void *model, uint64_t block);

/* The rest is nothing where there is no model. By what addresses are translated has changed, or may have. */
void modelled_translate_anew(struct core *core);

/* The instruction that is at the PC has been refused a page: all of it is to be done again. */
void modelled_refused(struct core *core, uint64_t pc);

/* Maintenance of a line of the guest's, in mid-block. */
void modelled_maintain(struct core *core, uint64_t va, enum memsys_maintenance what);
void modelled_maintain_way(struct core *core, unsigned level, uint32_t set, uint32_t way, enum memsys_maintenance what);

/* Cycles that the hypervisor takes for what it is asked (an exit, or COST_ACCESS). Without a model, or where nothing else is known,
 * the cost that the core was made with. */
uint64_t modelled_cost(struct core *core, unsigned kind);

/* Another pcpu has taken a page of which this one had made what it liked, or many that nobody knows. */
void modelled_lose(struct core *core, struct region *region, uint64_t ipa);
void modelled_lose_all(struct core *core);

/* The vCPU begins anew. */
void modelled_reset(struct core *core);

/* Before the core does anything: it may be in another window than when it last did. */
void modelled_enter(struct core *core);

/* Between two stays: the window of this number has begun, the same for all vCPUs of the VM. */
void modelled_begun(struct core *core, uint64_t window);

/* Maintenance that the architecture broadcasts: of this core's own, and the others of the VM hear of it (siblings.h). */
void modelled_invalidate(struct core *core, enum memsys_tlbi kind, uint16_t asid, uint64_t va, bool broadcast);
void modelled_forget_code(struct core *core, bool broadcast);
void modelled_forget_code_line(struct core *core, uint64_t va, uint64_t ipa);

/* Likewise what the hypervisor has one of them do, by its pcpu: this core itself or another. */
void modelled_ask(struct core *core, unsigned pcpu, struct request request);

#endif
