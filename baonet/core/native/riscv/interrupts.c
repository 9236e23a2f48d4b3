/* Interrupts of the supervisor (privileged architecture, 12.1.3): external, software, timer, in this order. */
#include "riscv/interrupts.h"

#include "architecture.h"
#include "leave.h"
#include "rest.h"
#include "riscv/file.h"
#include "riscv/registers.h"
#include "riscv/riscv.h"
#include "riscv/trap.h"
#include "storm.h"
#include "trace.h"

uint64_t interrupts_pending(const struct core *core) {
    uint64_t pending = core->state.arch.lines;
    if (core->arch.sstc && core->state.arch.timer.fired) pending |= SIP(INTERRUPT_TIMER);
    if (file_interrupts(core)) pending |= SIP(INTERRUPT_EXTERNAL);
    return pending;
}

unsigned interrupts_first(uint64_t pending) {
    static const unsigned order[] = {INTERRUPT_EXTERNAL, INTERRUPT_SOFTWARE, INTERRUPT_TIMER};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (pending & SIP(order[i])) return order[i];
    return 0;
}

static uint64_t wanted(const struct core *core) { return interrupts_pending(core) & ENV64(core, ENV_MIE); }

bool interrupts_wake(const struct core *core) { return wanted(core); }

void interrupts_update(struct core *core) {
    uint32_t *request = &FIELD(uint32_t, core->cpu, CS_INTERRUPT_REQUEST);
    *request = (*request & ~CPU_INTERRUPT_HARD) | (wanted(core) ? CPU_INTERRUPT_HARD : 0);
}

/* Asked between two blocks, while the input is high; whether the guest has taken one. */
EXPORT bool riscv_cpu_exec_interrupt_riscv64(void *cpu, int request) {
    struct core *core = running;
    if (!core || core->cpu != cpu) return riscv.exec_interrupt(cpu, request);
    if (!(request & CPU_INTERRUPT_HARD) || rest_comes(core)) return false;
    if (!in_user_mode(core) && !(ENV64(core, ENV_MSTATUS) & STATUS_SIE)) return false;
    unsigned interrupt = interrupts_first(wanted(core));
    if (!interrupt) return false;
    trap_enter(core, interrupt, 0, true);
    if (interrupt != INTERRUPT_EXTERNAL) trace(core, TRACE_ACKNOWLEDGED, NUMBER_LOCAL + interrupt, 0, 0);
    storm_interrupt(core);
    return true;
}

/* Its flags are those that a block is found by, so that a change of SUM leaves the TLB alone. */
EXPORT int riscv_cpu_mmu_index_riscv64(void *env, bool fetch) {
    if (!running || running->env != env) return riscv.mmu_index(env, fetch);
    return mmu_index(running);
}
