/*
 * What the bus refuses: a page of a mapped device that nothing answers, an atomic access to a device, and a translation
 * table in one. Hardware answers with a synchronous external abort, which goes to EL1: Bao leaves HCR_EL2.TEA clear
 * (Arm ARM D1.13.5; ISS encodings D24.2.40, DFSC 0b010000, and 0b0101LL on a walk).
 */
#include "armv8/bus.h"

#include "architecture.h"
#include "armv8/aarch32.h"
#include "armv8/arm.h"
#include "armv8/encoding64.h"
#include "count.h"
#include "leave.h"

#define ESR_FETCH_ABORT (0x20u << 26)
#define ESR_DATA_ABORT (0x24u << 26)
#define ESR_FROM_EL1 (1u << 26)
#define ESR_IL (1u << 25)
#define ESR_WNR (1u << 6)
#define EXTERNAL_ABORT 0x10u
#define EXTERNAL_ABORT_ON_WALK 0x14u /* and the level */

/* With the guest's state at the instruction. Does not return. */
static void refuse(struct core *core, uint64_t va, int access, uint32_t status) {
    bool aarch32 = aarch32_state(core);
    bool fetch = access == MMU_INST_FETCH, from_el1 = !aarch32 && FIELD(uint32_t, core->env, ENV_PSTATE) & PSTATE_EL;
    uint32_t esr = (fetch ? ESR_FETCH_ABORT : ESR_DATA_ABORT) | (from_el1 ? ESR_FROM_EL1 : 0) | ESR_IL | status;
    /* WnR is 0 where a load would be refused as well. */
    if (access == MMU_DATA_STORE && (aarch32 || !encoding64_loads_and_stores(arm.load_code(core->env, core_pc(core)))))
        esr |= ESR_WNR;
    FIELD(uint64_t, core->env, ENV_EXCEPTION_VADDRESS) = va;
    arm.raise_exception(core->env, fetch ? EXCP_PREFETCH_ABORT : EXCP_DATA_ABORT, esr, 1);
}

/* `from`: the host's PC at the access, 0 for a fetch. */
void bus_abort(struct core *core, uint64_t va, int access, uintptr_t from) {
    if (from) cpu_restore_state_aarch64(core->cpu, from, true);
    refuse(core, va, access, EXTERNAL_ABORT);
}

void arch_unanswered(struct core *core, int access) {
    bus_abort(core, core->scratch.arch.checked_address, access, core->scratch.arch.checked_access);
}

void bus_abort_on_walk(struct core *core, uint64_t va, uint32_t level, int access, uintptr_t from) {
    if (from) cpu_restore_state_aarch64(core->cpu, from, true);
    refuse(core, va, access, EXTERNAL_ABORT_ON_WALK | level);
}

/* Of an atomic access: what Rn has, to which only the STREX of T32 adds an offset (Arm ARM F5.1.223). */
static uint64_t atomic_address(struct core *core) {
    if (!aarch32_state(core)) return core_x(core)[arm.load_code(core->env, core_pc(core)) >> 5 & 31];
    const uint32_t *r = &FIELD(uint32_t, core->env, ENV_REGS);
    uint32_t pc = r[15];
    if (!FIELD(uint32_t, core->env, ENV_THUMB)) return r[arm.load_code(core->env, pc) >> 16 & 15];
    uint32_t half = arm.load_half(core->env, pc);
    uint32_t offset = (half & 0xfff0) == 0xe840 ? (arm.load_half(core->env, pc + 2) & 0xff) * 4 : 0;
    return r[half & 15] + offset;
}

/* An atomic access that the fast path cannot do: it is to a device. Stock Unicorn tries again for ever. */
EXPORT void cpu_loop_exit_atomic_aarch64(void *cpu, uintptr_t from) {
    struct core *core = running;
    if (!core) {
        FIELD(int32_t, cpu, CS_EXCEPTION_INDEX) = EXCP_INTERRUPT;
        unicorn.loop_exit_restore(cpu, from);
    }
    cpu_restore_state_aarch64(cpu, from, true);
    refuse(core, atomic_address(core), MMU_DATA_STORE, EXTERNAL_ABORT);
}
