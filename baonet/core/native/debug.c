/*
 * Breakpoints and single step (Arm ARM D2), which the library has: what it leaves out is that the OS lock and the OS double
 * lock disable both, how many instructions have retired when they come, and PSTATE.SS in AArch32 state.
 */
#include "engine.h"

#define STEP 0x32u /* EC, of either level */
#define STEP_VALID (1u << 24)
#define MDSCR_SS 1u
#define MDSCR_KDE (1u << 13)
#define DAIF_D (1u << 9)

bool debug_locked(void *env) {
    return FIELD(uint64_t, env, ENV_OSLSR_EL1) & OSLSR_LOCKED || (running && running->double_locked);
}

/* An exception behind the instruction, which has retired; a step that was pending already comes before it. */
bool debug_is_behind(uint32_t syndrome) { return (syndrome >> 26 & ~1u) == STEP && syndrome & STEP_VALID; }

/*
 * At an exception return from EL1: whether PSTATE.SS becomes what SPSR_EL1 has if the return is to AArch32 state at EL0
 * (Arm ARM J1.3, DebugExceptionReturnSS()). The library loses it.
 */
bool debug_return_steps(void *env) {
    uint32_t mdscr = FIELD(uint32_t, env, ENV_MDSCR_EL1);
    bool disabled_before = !(mdscr & MDSCR_KDE) || FIELD(uint64_t, env, ENV_DAIF) & DAIF_D;
    return mdscr & MDSCR_SS && disabled_before && !debug_locked(env) && FIELD(uint64_t, env, ENV_SPSR_EL1) & PSTATE_SS;
}

/* The exceptions that come behind an instruction that is stepped: PSTATE.SS is clear, which the library does in A64 only. */
void debug_stepped(void *env, uint32_t number, uint32_t syndrome) {
    if (debug_is_behind(syndrome) || number == EXCP_SWI) FIELD(uint32_t, env, ENV_UNCACHED_CPSR) &= ~PSTATE_SS;
}

EXPORT void helper_check_breakpoints_aarch64(void *env) {
    if (!running || !debug_locked(env)) unicorn.check_breakpoints(env);
}

/* A breakpoint ends its block, and its instruction does not run. */
EXPORT void helper_exception_internal_aarch64(void *env, uint32_t number) {
    if (running && number == EXCP_DEBUG) running->slot->budget++;
    unicorn.exception_internal(env, number);
}

/*
 * The library decides at a write of a system register whether single step is on, and not when PSTATE.D changes without.
 * EL0 changes nothing unless SCTLR_EL1.UMA grants it; op1 and op2 of the syndrome are exchanged, as in QEMU.
 */
#define SYSTEM_REGISTER_TRAP (0x18u << 26 | 1u << 25)
#define SCTLR_UMA (1u << 9)
enum { DAIF_SET = 6, DAIF_CLEAR }; /* op2 */

static void may_change_masks(void *env, unsigned op2, uint32_t bits, uintptr_t from) {
    if (FIELD(uint32_t, env, ENV_PSTATE) & PSTATE_EL || FIELD(uint64_t, env, ENV_SCTLR_EL1) & SCTLR_UMA) return;
    uint32_t syndrome = SYSTEM_REGISTER_TRAP | 3 << 17 | op2 << 14 | 4 << 10 | 31 << 5 | bits << 1;
    raise_exception_ra_aarch64(env, EXCP_UDEF, syndrome, 1, from);
}

static void masks_changed(void *env) {
    if (FIELD(uint64_t, env, ENV_MDSCR_EL1) & MDSCR_SS) arm_rebuild_hflags_aarch64(env);
}

EXPORT void helper_msr_i_daifset_aarch64(void *env, uint32_t bits) {
    may_change_masks(env, DAIF_SET, bits, (uintptr_t)__builtin_return_address(0));
    FIELD(uint64_t, env, ENV_DAIF) |= bits << 6;
    masks_changed(env);
}

EXPORT void helper_msr_i_daifclear_aarch64(void *env, uint32_t bits) {
    may_change_masks(env, DAIF_CLEAR, bits, (uintptr_t)__builtin_return_address(0));
    FIELD(uint64_t, env, ENV_DAIF) &= ~(uint64_t)(bits << 6);
    masks_changed(env);
}
