/* The guest's translation tables. */
#ifndef BAONET_RISCV_WALK_H
#define BAONET_RISCV_WALK_H

#include "core.h"

enum walked {
    WALK_FOUND,
    WALK_FAULT,   /* the guest's own */
    WALK_MISSING, /* an entry is not in RAM: at `ipa` */
    WALK_BLOCKED, /* an entry is in a page that may not be had now */
};
struct walk {
    uint64_t ipa, size; /* of the leaf's page */
    int prot;
};

enum walked walk(struct core *core, uint64_t va, int access, int mmu_index, struct walk *found);

/* The instruction at a virtual address, of 16 or 32 bits; 0: it cannot be fetched. */
uint32_t walk_instruction(struct core *core, uint64_t pc);

#endif
