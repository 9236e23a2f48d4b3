/*
 * Each load or store is one access of the library's, and none has its address where it loads to. LR is a load, and SC a store if
 * its reservation holds; an AMO is both.
 */
#include "riscv/observed.h"

#include "architecture.h"
#include "leave.h"
#include "modelled.h"
#include "observe.h"
#include "riscv/encoding.h"
#include "riscv/riscv.h"

#define MEMOP_SIZE 3u

void observed_access(void *tcg, void *address, uint32_t memop, enum memsys_kind kind) {
    if (running && running->model) observe_access(tcg, address, 1u << (memop & MEMOP_SIZE), kind);
}

#define AMO(name)                                                                                                            \
    EXPORT void tcg_gen_atomic_##name##_i64_riscv64(void *s, void *result, void *address, void *value, uint64_t index,       \
                                                    uint32_t memop) {                                                        \
        riscv.gen_##name(s, result, address, value, index, memop);                                                           \
        observed_access(s, address, memop, MEMSYS_ATOMIC);                                                                   \
    }
ATOMIC_OPERATIONS(AMO)

EXPORT void tcg_gen_atomic_cmpxchg_i64_riscv64(void *s, void *result, void *address, void *compare, void *value, uint64_t index,
                                               uint32_t memop) {
    riscv.gen_cmpxchg(s, result, address, compare, value, index, memop);
    observed_access(s, address, memop, MEMSYS_STORE);
}

int arch_observe(struct core *core) {
    (void)core;
    return 0;
}

void arch_observe_call(void *tcg, const void *function, void *const *arguments) { (void)tcg, (void)function, (void)arguments; }

void observed_block(struct core *core, unsigned operation, uint64_t va) {
    static const enum memsys_maintenance kinds[] = {
        [CBO_INVAL] = MEMSYS_INVALIDATE, [CBO_CLEAN] = MEMSYS_CLEAN, [CBO_FLUSH] = MEMSYS_CLEAN_INVALIDATE};
    if (!core->model) return;
    if (operation == CBO_ZERO) ARCH_OBSERVED_OTHER(core->model, va, modelled_info(MEMSYS_LINE, MEMSYS_ZERO));
    else modelled_maintain(core, va, kinds[operation]);
}

/* What is x0 in the instruction stands for all (privileged architecture, 12.2.1). */
void observed_fence(struct core *core, unsigned address, unsigned asid) {
    enum memsys_tlbi kind = address ? asid ? MEMSYS_TLBI_VA : MEMSYS_TLBI_VA_ALL : asid ? MEMSYS_TLBI_ASID : MEMSYS_TLBI_STAGE1;
    const uint64_t *x = core_x(core);
    modelled_invalidate(core, kind, asid ? (uint16_t)x[asid] : 0, address ? x[address] & PAGE_MASK : 0, false);
}
