/*
 * Cache-block operations (unprivileged architecture, 19.3). There is no cache but the model's, so those of Zicbom only look whether the
 * block may be read or written. VU mode needs senvcfg; VS mode has them all, as Bao sets henvcfg.
 */
#include "riscv/cbo.h"

#include "riscv/encoding.h"
#include "riscv/memory.h"
#include "riscv/observed.h"
#include "riscv/registers.h"
#include "riscv/riscv.h"

#define BLOCK 64u
#define MEMOP_64 3u /* TCGMemOpIdx: the operation, and the MMU index below */
#define MMU_INDEX_WIDTH 4

static bool may(const struct core *core, unsigned operation) {
    static const uint64_t bits[] = {ENVCFG_CBIE, ENVCFG_CBCFE, ENVCFG_CBCFE, 0, ENVCFG_CBZE};
    return !in_user_mode(core) || core->state.arch.senvcfg & bits[operation];
}

void cbo(struct core *core, unsigned operation, uint64_t address, uintptr_t from) {
    if (!may(core, operation)) riscv.raise(core->env, CAUSE_ILLEGAL, from);
    address &= ~(uint64_t)(BLOCK - 1);
    int mode = mmu_index(core);
    if (operation != CBO_ZERO) { /* if it may not be read, the fault is that of a store */
        if (!riscv_cpu_tlb_fill_riscv64(core->cpu, address, BLOCK, MMU_DATA_LOAD, mode, true, from))
            riscv_cpu_tlb_fill_riscv64(core->cpu, address, BLOCK, MMU_DATA_STORE, mode, false, from);
        observed_block(core, operation, address);
        return;
    }
    uint32_t index = MEMOP_64 << MMU_INDEX_WIDTH | (uint32_t)mode;
    for (unsigned at = 0; at < BLOCK; at += 8) riscv.le_stq(core->env, address + at, 0, index, from);
    observed_block(core, operation, address);
}
