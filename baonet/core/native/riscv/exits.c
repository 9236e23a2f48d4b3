/* Exceptions: those that the guest takes itself, and those that are for the hypervisor, and what is told of them. */
#include "answers.h"
#include "architecture.h"
#include "leave.h"
#include "riscv/encoding.h"
#include "riscv/interrupts.h"
#include "riscv/refusals.h"
#include "riscv/registers.h"
#include "riscv/riscv.h"
#include "riscv/trap.h"
#include "riscv/walk.h"
#include "storm.h"

#define CALL_LENGTH 4

/* An ECALL, an EBREAK or an undefined instruction is the last of its block, with the PC at it, and has not retired. */
EXPORT void helper_raise_exception_riscv64(void *env, uint32_t number) {
    if (running && running->env == env) running->slot->budget++;
    riscv.raise_here(env, number);
}

static void take(struct core *core, uint64_t cause, uint64_t tval) {
    struct trap now = {.cause = cause, .epc = core_pc(core), .tval = tval}, *last = &core->state.arch.last;
    bool call = cause == CAUSE_ECALL || cause == CAUSE_BREAKPOINT;
    bool same = now.cause == last->cause && now.epc == last->epc && now.tval == last->tval;
    *last = now;
    trap_enter(core, cause, tval, false);
    storm_exception(core, call, core->state.exceptions && !call && same);
}

static void call(struct core *core) {
    core_pc(core) += CALL_LENGTH;
    core->slot->budget--;
    core->state.exit[EXIT_CAUSE] = CAUSE_ECALL_FROM_VS;
    if (answers_call(core, EXIT_ECALL, 0))
        trap_drop_reservation(core);
    else
        core_leave(core, EXIT_ECALL);
}

static void trap(struct core *core, uint32_t number) {
    uint64_t *exit = core->state.exit;
    uint32_t instruction = walk_instruction(core, core_pc(core));
    exit[EXIT_CAUSE] = number == CAUSE_ILLEGAL ? refusal(core, instruction) : number;
    exit[EXIT_TVAL] = number == CAUSE_ILLEGAL ? instruction : ENV64(core, ENV_BADADDR);
    exit[EXIT_IPA] = exit[EXIT_IMPLICIT] = 0;
    exit[EXIT_INSTRUCTION] = instruction;
    core_leave(core, EXIT_TRAP);
}

void arch_interrupt_hook(void *uc, uint32_t number, void *user) {
    (void)uc;
    struct core *core = user;
    core_pc(core) -= 4; /* the library has added that, of whatever length the instruction is */
    switch (number) {
    case CAUSE_ECALL:
        if (!in_user_mode(core))
            call(core);
        else
            take(core, number, 0);
        return;
    case CAUSE_BREAKPOINT: take(core, number, core_pc(core)); return;
    case CAUSE_FETCH_PAGE:
    case CAUSE_LOAD_PAGE:
    case CAUSE_STORE_PAGE: take(core, number, ENV64(core, ENV_BADADDR)); return;
    default: trap(core, number);
    }
}

/* The hypervisor takes a trap as the guest does: behind it no reservation is left. */
void arch_left(struct core *core, enum exit_reason reason) {
    if (reason == EXIT_ECALL || reason == EXIT_TRAP) trap_drop_reservation(core);
}

void arch_failed(struct core *core, int error) {
    core->state.exit[EXIT_CAUSE] = 0;
    core->state.exit[EXIT_TVAL] = core_pc(core);
    core->state.exit[EXIT_IPA] = FIELD(uint64_t, core->uc, UC_INVALID_ADDR);
    core->state.exit[EXIT_VALUE] = (uint64_t)error;
}

uint64_t arch_detail(struct core *core, enum exit_reason reason) {
    switch (reason) {
    case EXIT_ECALL: return core_x(core)[17];
    case EXIT_TRAP: return core->state.exit[EXIT_CAUSE];
    case EXIT_FAULT: return core->state.exit[EXIT_VALUE];
    case EXIT_INTERRUPT:
    case EXIT_LINE: return core->state.exit[EXIT_NUMBER];
    default: return 0;
    }
}

/* A timer that was set anew has not fired. */
bool arch_wants(struct core *core, const struct event *event) {
    return event->reason != EXIT_INTERRUPT || core->state.arch.timer.fired;
}

bool arch_calls(enum exit_reason reason, unsigned *length) {
    *length = 0; /* the PC is past it */
    return reason == EXIT_ECALL;
}
