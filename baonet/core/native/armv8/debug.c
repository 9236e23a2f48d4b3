/*
 * Breakpoints and single step (Arm ARM D2), which the library has: what it leaves out is that the OS lock and the OS double
 * lock disable both, how many instructions have retired when they come, and PSTATE.SS in AArch32 state. And the debug
 * communications channel.
 */
#include "armv8/debug.h"

#include "armv8/arm.h"
#include "armv8/debug_state.h"
#include "armv8/exceptions.h"
#include "armv8/flags.h"
#include "leave.h"
#include "trace.h"

EXPORT void helper_check_breakpoints_aarch64(void *env) {
    if (!running || !debug_locked(env)) arm.check_breakpoints(env);
}

/* A breakpoint ends its block, and its instruction does not run. */
EXPORT void helper_exception_internal_aarch64(void *env, uint32_t number) {
    if (running && number == EXCP_DEBUG) running->slot->budget++;
    arm.exception_internal(env, number);
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

/*
 * DBGDTR_EL0, the debug communications channel (Arm ARM D19.3.6): what a guest writes there goes to a debugger, if there
 * is one. Here it goes into the trace: a marker that costs one instruction and no exit.
 */
void debug_transmit(void *env, const void *ri, uint64_t value) {
    (void)env, (void)ri;
    trace(running, TRACE_MARK, 0, value, 0);
}
