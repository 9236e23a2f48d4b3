/*
 * A store of several accesses (STP, ST1 to ST4, STM, STRD ...) may be refused the second of its pages when it has stored to
 * the first. Others may have that page before it goes on, and see what it has stored, and store there themselves; so what it
 * has stored it does not store again. The library's code stores from the lowest address on, so all that is below the one
 * that was refused is done. A store of one access fills both pages before it stores anything.
 */
#include "armv8/partial.h"

#include "architecture.h"
#include "armv8/aarch32.h"
#include "armv8/arm.h"
#include "count.h"

/* Which instruction it is; T32 has the operation and the base in the first half. */
static uint32_t instruction(struct core *core) {
    if (!aarch32_state(core)) return arm.load_code(core->env, core_pc(core));
    uint32_t pc = FIELD(uint32_t, core->env, ENV_REGS + 15 * sizeof(uint32_t));
    return FIELD(uint32_t, core->env, ENV_THUMB) ? arm.load_half(core->env, pc) : arm.load_code(core->env, pc);
}

void partial_note(struct core *core, uint64_t va, bool store, uintptr_t from) {
    core->scratch.arch.checked_access = from;
    core->scratch.arch.checked_store = store ? va : 0;
}

#define LARGEST_ACCESS 16u
#define LARGEST_STORE 64u /* ST4 of four vectors */

/* Whether an instruction that stores here may have stored to the page before already. */
static bool begins_page(uint64_t va) { return ((va + LARGEST_ACCESS - 1) & (PAGE_SIZE - 1)) < LARGEST_STORE + LARGEST_ACCESS; }

void arch_refused(struct core *core, uintptr_t from) {
    struct arch_state *state = &core->state.arch;
    uint64_t store = core->scratch.arch.checked_access == from ? core->scratch.arch.checked_store : 0;
    state->stored = begins_page(store) ? store : 0;
    if (state->stored) state->stored_by = instruction(core);
}

/* The entry by which the first accesses of the instruction would pass unseen. */
void arch_resume(struct core *core) {
    uint64_t stored = core->state.arch.stored;
    if (stored) unicorn.tlb_flush_page_mmuidx(core->cpu, (stored - 1) & PAGE_MASK, (1u << ARCH_MMU_INDEXES) - 1);
}

bool partial_is_done(struct core *core, uint64_t va, uintptr_t from) {
    if (va >= core->state.arch.stored || !count_is_first(core, from)) return false;
    unicorn.restore_state(core->cpu, from, false);
    return instruction(core) == core->state.arch.stored_by;
}
