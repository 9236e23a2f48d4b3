/*
 * Cache-block operations (unprivileged architecture, 19.3). There is no cache, so those of Zicbom only look whether the block may be
 * read or written. VU mode needs senvcfg; VS mode has them all, as Bao sets henvcfg.
 */
#include "riscv/cbo.h"

#include "riscv/encoding.h"
#include "riscv/memory.h"
#include "riscv/registers.h"
#include "riscv/riscv.h"
#include "riscv/walk.h"

#define BLOCK 64u
#define MEMOP_64 3u /* TCGMemOpIdx: the operation, and the MMU index below */
#define MMU_INDEX_WIDTH 4

static bool may(const struct core *core, unsigned operation) {
    static const uint64_t bits[] = {ENVCFG_CBIE, ENVCFG_CBCFE, ENVCFG_CBCFE, 0, ENVCFG_CBZE};
    return !in_user_mode(core) || core->state.arch.senvcfg & bits[operation];
}

/* As a store, if it may not be read: then the fault is that of a store. */
static bool readable(struct core *core, uint64_t address) {
    struct walk found;
    return walk(core, address, MMU_DATA_LOAD, mmu_index(core), &found) == WALK_FOUND;
}

void cbo(struct core *core, unsigned operation, uint64_t address, uintptr_t from) {
    if (!may(core, operation)) riscv.raise(core->env, CAUSE_ILLEGAL, from);
    address &= ~(uint64_t)(BLOCK - 1);
    uint32_t index = MEMOP_64 << MMU_INDEX_WIDTH | (uint32_t)mmu_index(core);
    if (operation != CBO_ZERO) {
        if (readable(core, address)) return;
        riscv_cpu_tlb_fill_riscv64(core->cpu, address, BLOCK, MMU_DATA_STORE, mmu_index(core), false, from);
        return;
    }
    for (unsigned at = 0; at < BLOCK; at += 8) riscv.le_stq(core->env, address + at, 0, index, from);
}
