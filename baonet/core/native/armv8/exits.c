/* Why the guest is left: exceptions that are for the hypervisor, and what is told of them. */
#include "answers.h"
#include "architecture.h"
#include "armv8/arm.h"
#include "count.h"
#include "leave.h"
#include "storm.h"

enum { EC_SVC32 = 0x11, EC_SVC64 = 0x15, EC_BKPT = 0x38, EC_BRK = 0x3c };

static bool is_call(uint32_t esr) {
    uint32_t class = esr >> 26;
    return class == EC_SVC32 || class == EC_SVC64 || class == EC_BKPT || class == EC_BRK;
}

/* After the library has delivered it to EL1. */
static void taken(struct core *core) {
    struct exception now = {
        .esr = FIELD(uint32_t, core->env, ENV_ESR_EL1),
        .elr = FIELD(uint64_t, core->env, ENV_ELR_EL1),
        .far = FIELD(uint64_t, core->env, ENV_FAR_EL1),
        .spsr = FIELD(uint32_t, core->env, ENV_SPSR_EL1),
    };
    struct exception *last = &core->state.arch.last_exception;
    bool call = is_call(now.esr), same = now.esr == last->esr && now.elr == last->elr && now.far == last->far;
    *last = now;
    storm_exception(core, call, core->state.exceptions && !call && same);
}

/* The guest goes on `length` bytes behind the PC. */
static void call(struct core *core, enum exit_reason reason, unsigned length) {
    if (!answers_call(core, reason, length)) core_leave(core, reason);
}

/* Exceptions for EL1 are the guest's own and are delivered as the CPU does. */
void arch_interrupt_hook(void *uc, uint32_t number, void *user) {
    (void)uc;
    struct core *core = user;
    if (core->scratch.arch.checked_from) {
        count_give_back(core, core->scratch.arch.checked_from);
        core->scratch.arch.checked_from = 0;
    }
    switch (number) {
    case EXCP_HVC: call(core, EXIT_HVC, 0); return;
    case EXCP_HYP_TRAP: call(core, EXIT_SMC, 4); return;
    case EXCP_SMC:
        core_pc(core) -= 4;
        call(core, EXIT_SMC, 4);
        return;
    }
    if (FIELD(uint32_t, core->env, ENV_EXCEPTION_TARGET_EL) == 1) {
        arm.do_interrupt(core->cpu);
        taken(core);
        return;
    }
    core->state.exit[EXIT_ESR] = FIELD(uint32_t, core->env, ENV_EXCEPTION_SYNDROME);
    core->state.exit[EXIT_FAR] = FIELD(uint64_t, core->env, ENV_EXCEPTION_VADDRESS);
    core->state.exit[EXIT_IPA] = UINT64_MAX;
    core_leave(core, EXIT_FAULT);
}

void arch_left(struct core *core, enum exit_reason reason) {
    if (reason == EXIT_SYSTEM_REGISTER) core_pc(core) -= 4; /* the block ended behind the instruction */
}

void arch_failed(struct core *core, int error) {
    core->state.exit[EXIT_ESR] = 0;
    core->state.exit[EXIT_FAR] = core_pc(core);
    core->state.exit[EXIT_IPA] = FIELD(uint64_t, core->uc, UC_INVALID_ADDR);
    core->state.exit[EXIT_VALUE] = (uint64_t)error;
}

uint64_t arch_detail(struct core *core, enum exit_reason reason) {
    switch (reason) {
    case EXIT_HVC:
    case EXIT_SMC: return core_x(core)[0];
    case EXIT_DATA_ABORT: return core->state.exit[EXIT_IPA];
    case EXIT_SYSTEM_REGISTER: return core->state.exit[EXIT_REGISTER];
    case EXIT_FAULT: return core->state.exit[EXIT_ESR];
    case EXIT_INTERRUPT:
    case EXIT_DEACTIVATED:
    case EXIT_LINE: return core->state.exit[EXIT_NUMBER];
    default: return 0;
    }
}

bool arch_calls(enum exit_reason reason, unsigned *length) {
    *length = reason == EXIT_SMC ? 4 : 0;
    return reason == EXIT_HVC || reason == EXIT_SMC;
}
