/* Single step and the locks that disable debug exceptions, as state of the CPU (Arm ARM D2). */
#include "armv8/debug_state.h"

#include "leave.h"

#define STEP 0x32u /* EC, of either level */
#define STEP_VALID (1u << 24)
#define MDSCR_KDE (1u << 13)
#define DAIF_D (1u << 9)

bool debug_locked(void *env) {
    return FIELD(uint64_t, env, ENV_OSLSR_EL1) & OSLSR_LOCKED || (running && running->state.arch.double_locked);
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
