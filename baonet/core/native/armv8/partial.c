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
#include "modelled.h"
#include "windows.h"

/* Which instruction it is; T32 has the operation and the base in the first half. */
static uint32_t instruction_at(struct core *core, uint64_t pc) {
    bool thumb = aarch32_state(core) && FIELD(uint32_t, core->env, ENV_THUMB);
    return thumb ? arm.load_half(core->env, pc) : arm.load_code(core->env, pc);
}

static uint64_t pc_of(struct core *core) {
    return aarch32_state(core) ? FIELD(uint32_t, core->env, ENV_REGS + 15 * sizeof(uint32_t)) : core_pc(core);
}

void partial_note(struct core *core, uint64_t va, bool store, uintptr_t from) {
    core->scratch.arch.checked_access = from;
    core->scratch.arch.checked_address = va;
    core->scratch.arch.checked_store = store ? va : 0;
}

#define LARGEST_ACCESS 16u
#define LARGEST_STORE 64u /* ST4 of four vectors */

/* Whether an instruction that stores here may have stored to the page before already. */
static bool begins_page(uint64_t va) { return ((va + LARGEST_ACCESS - 1) & (PAGE_SIZE - 1)) < LARGEST_STORE + LARGEST_ACCESS; }

void arch_refused(struct core *core, uintptr_t from) {
    struct arch_state *state = &core->state.arch;
    uint64_t store = core->scratch.arch.checked_access == from ? core->scratch.arch.checked_store : 0;
    modelled_refused(core, pc_of(core));
    state->stored = begins_page(store) ? store : 0;
    if (state->stored) state->stored_by = instruction_at(core, pc_of(core));
}

/* The entry by which the first accesses of the instruction would pass unseen. */
void arch_resume(struct core *core) {
    uint64_t stored = core->state.arch.stored;
    if (stored) windows_flush_page(core, (stored - 1) & PAGE_MASK, (1u << ARCH_MMU_INDEXES) - 1);
}

/*
 * Of an access that is only done in part, as one that reaches into a UART which was refused, the library stores the bytes one by
 * one, and asks of each. The guest's state is not made that of the instruction: the library would take what it has of an IT block
 * for that of the next block.
 */
bool partial_is_done(struct core *core, uint64_t va, unsigned size, uintptr_t from) {
    uint64_t pc, stored = core->state.arch.stored;
    if (va >= stored || stored - va < size || !count_is_first(core, from, &pc)) return false;
    return instruction_at(core, pc) == core->state.arch.stored_by;
}
