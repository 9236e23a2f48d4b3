/*
 * Exceptions of the guest's own that the library leaves out or describes wrongly: accesses to FP and SIMD that CPACR_EL1
 * traps, a misaligned PC, the Illegal Execution state, those that a helper raises with a syndrome, and interrupts.
 */
#include "armv8/exceptions.h"

#include "armv8/aarch32.h"
#include "armv8/arm.h"
#include "armv8/debug_state.h"
#include "count.h"
#include "leave.h"
#include "rest.h"
#include "storm.h"

/* FPEN: 0 and 2 trap EL0 and EL1, 1 traps EL0 only (Arm ARM D17.2.30, CPACR_EL1). Nothing above EL1 traps them. */
#define FPEN_SHIFT 20
enum { FPEN_TRAP_EL0 = 1, FPEN_TRAP_NONE = 3 };

/* The library's is a stub: FP is never disabled. What this returns becomes part of the flags that a block is found by. */
EXPORT int fp_exception_el_aarch64(void *env, int el) {
    unsigned fpen = FIELD(uint64_t, env, ENV_CPACR_EL1) >> FPEN_SHIFT & 3;
    if (el > 1 || fpen == FPEN_TRAP_NONE || (fpen == FPEN_TRAP_EL0 && el == 1)) return 0;
    return 1;
}

/* The library's sets the syndrome first, and loses it when it restores the state of the instruction. */
EXPORT void raise_exception_ra_aarch64(void *env, uint32_t number, uint32_t syndrome, uint32_t target_el, uintptr_t from) {
    if (running && running->env == env) cpu_restore_state_aarch64(running->cpu, from, true);
    arm.raise_exception(env, number, syndrome, target_el);
}

#define IL (1u << 25)
#define BRANCH_TARGET 0x0du

/* Of an instruction of 4 bytes, which the library forgets here. */
static uint32_t whole(uint32_t syndrome) { return syndrome >> 26 == BRANCH_TARGET ? syndrome | IL : syndrome; }

/*
 * An undefined or trapped instruction comes without a look at where in the block it is (count.c): it ends its block, and
 * has not retired.
 */
EXPORT void raise_exception_aarch64(void *env, uint32_t number, uint32_t syndrome, uint32_t target_el) {
    if (running && number == EXCP_UDEF && !running->scratch.arch.checked_from && !debug_is_behind(syndrome))
        running->slot->budget++;
    if (running) debug_stepped(env, number, syndrome);
    arm.raise_exception(env, number, whole(syndrome), target_el);
}

#define SYNDROME(class) ((uint32_t)(class) << 26 | IL)
#define ILLEGAL_STATE SYNDROME(0x0e)
#define PC_ALIGNMENT SYNDROME(0x22)

/*
 * A return that is illegal, or to a PSTATE with IL set, is a branch to where every instruction raises Illegal State. The
 * library would run them, so the exception is raised behind the return, which has retired.
 */
EXPORT void helper_exception_return_aarch64(void *env, uint64_t target) {
    struct core *core = running;
    bool steps = core && core->env == env && debug_return_steps(env);
    arm.exception_return(env, target);
    if (!core || core->env != env) return;
    if (steps && aarch32_state(core)) FIELD(uint32_t, env, ENV_UNCACHED_CPSR) |= PSTATE_SS;
    if (aarch32_pstate(core) & PSTATE_IL) arm.raise_exception(env, EXCP_UDEF, ILLEGAL_STATE, 1);
}

/* Asked for every block that is not found by its address alone; those at a misaligned PC never are, as none is made. */
EXPORT uint64_t get_page_addr_code_aarch64(void *env, uint64_t pc) {
    struct core *core = running;
    if (core && core->env == env && pc & 3 && (FIELD(uint32_t, env, ENV_AARCH64) || !FIELD(uint32_t, env, ENV_THUMB))) {
        FIELD(uint64_t, env, ENV_EXCEPTION_VADDRESS) = pc;
        arm.raise_exception(env, EXCP_PREFETCH_ABORT, PC_ALIGNMENT, 1);
    }
    return unicorn.page_addr_code(env, pc);
}

/*
 * A system register that may not be accessed is an exception without a look at where in the block it is: so that is kept
 * while the library checks.
 */
EXPORT void helper_access_check_cp_reg_aarch64(void *env, void *ri, uint32_t syndrome, uint32_t is_read) {
    if (running) running->scratch.arch.checked_from = (uintptr_t)__builtin_return_address(0);
    arm.check_access(env, ri, syndrome, is_read);
    if (!running) return;
    running->scratch.arch.granted_from = running->scratch.arch.checked_from;
    running->scratch.arch.checked_from = 0;
}

/* Asked between two blocks, while an interrupt input is high; whether the guest has taken it. */
EXPORT bool arm_cpu_exec_interrupt_aarch64(void *cpu, int request) {
    if (running && running->cpu == cpu && rest_comes(running)) return false;
    bool taken = arm.exec_interrupt(cpu, request);
    if (taken && running && running->cpu == cpu) storm_interrupt(running);
    return taken;
}
