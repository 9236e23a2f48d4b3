/* Entering the guest, leaving it, and why. One call of core_run() is one stay in the guest. */
#include "engine.h"

#include <sched.h>

/* The longest stretch between two looks at the clock, in instructions: some 20 us. */
#define CHUNK 20000

void core_leave(struct core *core, enum exit_reason reason) {
    core->reason = reason;
    /* No interrupt is taken on the way out, or the PC would not be where the exit says; entering looks again. */
    FIELD(uint32_t, core->cpu, CS_INTERRUPT_REQUEST) &= ~(CPU_INTERRUPT_HARD | CPU_INTERRUPT_FIQ);
    FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST) = 1;
}

uint64_t core_retired(struct core *core) { return core->granted - (uint64_t)(core->left + core->slot->budget); }

static void refill(struct core *core) {
    int64_t total = core->left + core->slot->budget;
    int32_t chunk = total > CHUNK ? CHUNK : (int32_t)total;
    core->slot->budget = chunk;
    core->left = total - chunk;
}

static unsigned instructions_of_block(struct core *core, uintptr_t from) {
    void *tb = unicorn.tb_lookup(FIELD(void *, core->uc, UC_TCG_CTX), from);
    return tb ? FIELD(uint16_t, tb, TB_ICOUNT) : 0;
}

/* Whether a block of this stay has run, seen from the start of another, whose instructions are already taken. */
static bool progressed(struct core *core, uintptr_t from) {
    return core_retired(core) - instructions_of_block(core, from) != core->entered;
}

/* At the start of a block, with the block's instructions already taken from the budget. */
void core_settle(struct core *core, uintptr_t from) {
    struct slot *slot = core->slot;
    uint8_t *exit_request = &FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST);
    int32_t why = atomic_exchange(&slot->kick, 0);
    broadcast_service(core);
    pages_settle(core);
    if (why & KICK_DOORBELL) {
        core->doorbell = true;
        *exit_request = 1;
    }
    if (core->hz) {
        if (slot->budget < 0) clock_block_start(core, instructions_of_block(core, from));
    } else if (slot->budget < 0) {
        /* A block that is longer than the budget runs, or the guest would stay where it is. */
        if (core->left + slot->budget >= 0 || !progressed(core, from)) {
            refill(core);
        } else {
            core->out_of_budget = true;
            *exit_request = 1;
        }
    }
    if (!core->hz && timer_due(core)) *exit_request = 1;
    /* An interrupt that the guest masks is not taken by leaving: do it once for a kick, or the block never runs. */
    if (*exit_request || (why && FIELD(uint32_t, core->cpu, CS_INTERRUPT_REQUEST))) core->leave_block = true;
}

/* UC_HOOK_INTR: every exception but interrupts. Those for EL1 are the guest's own and are delivered as the CPU does. */
void core_interrupt_hook(void *uc, uint32_t intno, void *user) {
    (void)uc;
    struct core *core = user;
    if (core->checked_from) {
        count_give_back(core, core->checked_from);
        core->checked_from = 0;
    }
    switch (intno) {
    case EXCP_HVC: core_leave(core, EXIT_HVC); return;
    case EXCP_HYP_TRAP: core_leave(core, EXIT_SMC); return;
    case EXCP_SMC:
        core_pc(core) -= 4;
        core_leave(core, EXIT_SMC);
        return;
    }
    if (FIELD(uint32_t, core->env, ENV_EXCEPTION_TARGET_EL) == 1) {
        unicorn.do_interrupt(core->cpu);
        core_exception_taken(core);
        return;
    }
    core->exit[EXIT_ESR] = FIELD(uint32_t, core->env, ENV_EXCEPTION_SYNDROME);
    core->exit[EXIT_FAR] = FIELD(uint64_t, core->env, ENV_EXCEPTION_VADDRESS);
    core->exit[EXIT_IPA] = UINT64_MAX;
    core_leave(core, EXIT_FAULT);
}

static enum exit_reason stay(struct core *core) {
    void *cpu = core->cpu;
    for (;;) {
        if (core->flush_code) { /* asked for while the library ran, or before */
            core->flush_code = false;
            unicorn.tb_flush(cpu);
        }
        FIELD(uint32_t, cpu, CS_HALTED) = 0;
        FIELD(int32_t, cpu, CS_EXCEPTION_INDEX) = -1;
        FIELD(uint8_t, cpu, CS_EXIT_REQUEST) = 0;
        FIELD(uint8_t, cpu, CS_STOPPED) = FIELD(uint8_t, cpu, CS_STOP) = 0;
        int result = unicorn.cpu_exec(core->uc, cpu);
        if (core->reason == EXIT_SYSTEM_REGISTER) core_pc(core) -= 4; /* the block ended behind the instruction */
        if (core->reason != EXIT_NONE) return event_in_order(core, core->reason);
        int error = FIELD(int32_t, core->uc, UC_INVALID_ERROR);
        if (error) {
            /* Nothing is known that leads here. If a guest finds it, it stops that guest and no other. */
            FIELD(int32_t, core->uc, UC_INVALID_ERROR) = 0;
            core->exit[EXIT_ESR] = 0;
            core->exit[EXIT_FAR] = core_pc(core);
            core->exit[EXIT_IPA] = FIELD(uint64_t, core->uc, UC_INVALID_ADDR);
            core->exit[EXIT_VALUE] = (uint64_t)error;
            return EXIT_FAULT;
        }
        enum exit_reason reason = event_pending(core);
        if (reason != EXIT_NONE) return reason;
        if (result == EXCP_HLT) return EXIT_WFI;
        if (result == EXCP_YIELD && core->hz && core->polite) { /* before a kick, which comes when the host likes */
            core->yielded = true;
            return EXIT_BUDGET;
        }
        if (core->doorbell) {
            core->doorbell = false;
            return EXIT_KICKED;
        }
        if (core->out_of_budget) return EXIT_BUDGET;
        if (result == EXCP_YIELD && !core->hz) { /* the guest waits for another CPU, which may wait for this one's */
            sched_yield();
            return EXIT_BUDGET;
        }
    }
}

static enum exit_reason enter(struct core *core) {
    core->reason = EXIT_NONE;
    core->out_of_budget = core->yielded = false;
    core->strain = 0;
    running = core;
    FIELD(int32_t, core->uc, UC_NESTED_LEVEL) = 1;
    aarch32_adopt(core);
    broadcast_enter(core);
    enum exit_reason reason = stay(core);
    broadcast_leave(core);
    aarch32_expose(core);
    FIELD(int32_t, core->uc, UC_NESTED_LEVEL) = 0;
    running = NULL;
    return reason;
}

static void arrive(struct core *core) {
    if (core->waiting) trace(core, TRACE_WAKE, 0, 0, 0);
    if (core->outside) trace(core, TRACE_ENTRY, 0, 0, 0);
    core->waiting = core->outside = false;
}

static uint64_t detail(struct core *core, enum exit_reason reason) {
    switch (reason) {
    case EXIT_HVC:
    case EXIT_SMC: return core_x(core)[0];
    case EXIT_DATA_ABORT: return core->exit[EXIT_IPA];
    case EXIT_SYSTEM_REGISTER: return core->exit[EXIT_REGISTER];
    case EXIT_FAULT: return core->exit[EXIT_ESR];
    case EXIT_INTERRUPT:
    case EXIT_DEACTIVATED:
    case EXIT_LINE: return core->exit[EXIT_INTID];
    default: return 0;
    }
}

static void depart(struct core *core, enum exit_reason reason) {
    core->statistics[reason]++;
    if (reason == EXIT_WFI) {
        core->waiting = true;
        trace(core, TRACE_WAIT, 0, core_pc(core), 0);
    } else if (reason > EXIT_KICKED) {
        core->outside = true;
        trace(core, TRACE_EXIT, reason, core_pc(core), detail(core, reason));
        clock_skip(core, core->costs[reason]);
    }
}

int core_run(struct core *core, int64_t budget) {
    interface_update(core); /* the hypervisor may have changed anything */
    enum exit_reason reason = event_pending(core);
    if (reason == EXIT_NONE) {
        int64_t rest = core->left + core->slot->budget; /* what the last stay did not use, or overdrew */
        core->granted += (uint64_t)(budget - (rest > 0 ? rest : 0));
        core->left = budget + (rest < 0 ? rest : 0);
        core->slot->budget = 0;
        core->entered = core_retired(core);
        reason = EXIT_BUDGET;
        if (core->left > 0) {
            arrive(core);
            refill(core);
            reason = enter(core);
        }
    }
    if (reason != EXIT_ERROR) depart(core, reason);
    return reason;
}

/* In virtual time: until the clock shows `limit`. */
int core_run_until(struct core *core, uint64_t limit) {
    interface_update(core);
    enum exit_reason reason = event_pending(core);
    if (reason == EXIT_NONE) {
        reason = EXIT_BUDGET;
        if (clock_now(core) < limit) {
            arrive(core);
            core->limit = limit;
            clock_plan(core);
            reason = enter(core);
        }
    }
    if (reason != EXIT_ERROR) depart(core, reason);
    return reason;
}
