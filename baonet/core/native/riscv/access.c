/*
 * The slow path of data accesses: the functions that translated code calls where the TLB has no plain entry. They stand in front of
 * the library's, so that a device knows which instruction it serves.
 */
#include "architecture.h"
#include "leave.h"
#include "riscv/faults.h"
#include "riscv/observed.h"
#include "riscv/riscv.h"
#include "tlb.h"

static void note(void *env, uint64_t va, uintptr_t from) {
    if (!running || running->env != env) return;
    running->scratch.arch.access = from;
    running->scratch.arch.address = va;
}

void arch_unanswered(struct core *core, int access) {
    fault_access(core, core->scratch.arch.address, access, core->scratch.arch.access);
}

uintptr_t arch_access(struct core *core) { return core->scratch.arch.access; }

/* Every instruction stores at most once, and both pages of a store are filled before it stores anything. */
void arch_refused(struct core *core, uintptr_t from) { (void)core, (void)from; }
void arch_resume(struct core *core) { (void)core; }

#define LOAD(name, type)                                                                                               \
    EXPORT uint64_t helper_##name##_mmu_riscv64(void *env, uint64_t va, uint32_t index, uintptr_t from) {              \
        const type *host = tlb_displaced(env, va, sizeof(type), index, TLB_ENTRY_READ);                                \
        if (host) return *host;                                                                                        \
        note(env, va, from);                                                                                           \
        return riscv.name(env, va, index, from);                                                                       \
    }
#define STORE(name, type)                                                                                              \
    EXPORT void helper_##name##_mmu_riscv64(void *env, uint64_t va, type value, uint32_t index, uintptr_t from) {      \
        type *host = tlb_displaced(env, va, sizeof(type), index, TLB_ENTRY_WRITE);                                     \
        if (host) {                                                                                                    \
            *host = value;                                                                                             \
            return;                                                                                                    \
        }                                                                                                              \
        note(env, va, from);                                                                                           \
        riscv.name(env, va, value, index, from);                                                                       \
    }

LOAD(ret_ldub, uint8_t)
LOAD(le_lduw, uint16_t)
LOAD(le_ldul, uint32_t)
LOAD(le_ldq, uint64_t)
STORE(ret_stb, uint8_t)
STORE(le_stw, uint16_t)
STORE(le_stl, uint32_t)
STORE(le_stq, uint64_t)

/* While a block is translated: what is long (library.h), and what the memory's model is told. */
EXPORT void tcg_gen_qemu_ld_i64_riscv64(void *s, void *value, void *address, uint64_t index, uint32_t memop) {
    if (running) library_weigh(s);
    riscv.ld_i64(s, value, address, index, memop);
    observed_access(s, address, memop, MEMSYS_LOAD);
}

EXPORT void tcg_gen_qemu_st_i64_riscv64(void *s, void *value, void *address, uint64_t index, uint32_t memop) {
    if (running) library_weigh(s);
    riscv.st_i64(s, value, address, index, memop);
    observed_access(s, address, memop, MEMSYS_STORE);
}
