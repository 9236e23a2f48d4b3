/*
 * Loops that read the counter until it shows a certain time. In virtual time each of their iterations is known, so those between
 * are not run: when one has been seen to be followed (architecture.h) as the CPU does it, and the registers and the memory that it
 * begins with do not differ from those that the next begins with, but by what the counter shows, the guest is taken to the last
 * iteration that goes the same way. All that it can find is as if it had run them: registers, memory, instructions, time.
 */
#ifndef BAONET_POLLING_H
#define BAONET_POLLING_H

#include "core.h"
#include "spans.h"

/* Before the counter is read by the instruction at the PC. */
void polling_look(struct core *core);

/* An iteration that is followed: from behind an instruction that reads the counter to where that is again. */
#define ITERATION_CELLS 24
struct iteration {
    struct core *core;
    uint64_t pc;
    unsigned mmu_index, instructions;
    struct span counter;
    struct span registers[32];
    uint32_t read, written; /* registers: before they were written; at all */
    struct arch_iteration arch;
    unsigned cell_count;
    struct cell { /* of memory */
        uint8_t *host;
        unsigned size;
        bool read, written;
        uint64_t before;
        struct span value;
    } cells[ITERATION_CELLS];
};

/* For who follows. */
struct span iteration_register(struct iteration *iteration, unsigned number);
void iteration_set_register(struct iteration *iteration, unsigned number, struct span value);

/* False: the iteration can't be followed. Of 1, 2, 4 or 8 bytes, and aligned. */
bool iteration_load(struct iteration *iteration, struct span address, unsigned size, struct span *value);
bool iteration_store(struct iteration *iteration, struct span address, unsigned size, struct span value);
/* The instruction there, or a part of it, of 2 or 4 bytes; false, the same. */
bool iteration_fetch(const struct iteration *iteration, uint64_t va, unsigned size, uint32_t *instruction);

#endif
