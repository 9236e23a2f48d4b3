/*
 * Instructions that are done here: FENCE.I, of which the library does nothing; SFENCE.VMA, for which it empties the TLB whatever
 * the address; PAUSE and WFI, which do not end their block there; cache blocks, which it does not know; moves of singles, of
 * which it leaves the box out; and a mark for the trace.
 *
 * Only a helper of the library's can be called from its code, so all of these ask through one (translate.c), with a number.
 */
#include "riscv/ask.h"

#include "architecture.h"
#include "count.h"
#include "leave.h"
#include "modelled.h"
#include "pages.h"
#include "riscv/cbo.h"
#include "riscv/float.h"
#include "riscv/interrupts.h"
#include "riscv/observed.h"
#include "riscv/registers.h"
#include "riscv/riscv.h"
#include "riscv/timer.h"
#include "trace.h"
#include "windows.h"

#define KIND_BITS 3
#define REG_BITS 5
#define ALL_INDEXES ((1u << ARCH_MMU_INDEXES) - 1)

EXPORT void helper_check_exit_request_riscv64(void *none, uintptr_t asked);

void ask_emit(struct core *core, enum ask what, unsigned reg, unsigned operation) {
    uint8_t *tcg = FIELD(uint8_t *, core->uc, UC_TCG_CTX);
    int64_t number = (int64_t)(what | reg << KIND_BITS | operation << (KIND_BITS + REG_BITS));
    void *none = unicorn.const_i64(tcg, 0), *asked = unicorn.const_i64(tcg, number);
    void *arguments[] = {tcg + (uintptr_t)none, tcg + (uintptr_t)asked};
    library_weigh(tcg);
    unicorn.call(tcg, helper_check_exit_request_riscv64, NULL, 2, arguments);
    unicorn.temp_free(tcg, arguments[0]);
    unicorn.temp_free(tcg, arguments[1]);
}

/* Behind the instruction, which ends its block and retires. */
static void leave_behind(struct core *core, int result, uintptr_t from) {
    ARCH(cpu_restore_state)(core->cpu, from, true);
    core->slot->budget--;
    core_pc(core) += 4;
    FIELD(int32_t, core->cpu, CS_EXCEPTION_INDEX) = result;
    unicorn.loop_exit(core->cpu);
}

static void wait(struct core *core, uintptr_t from) {
    if (in_user_mode(core)) riscv.raise(core->env, CAUSE_ILLEGAL, from);
    timer_look(core);
    if (!interrupts_wake(core)) leave_behind(core, EXCP_HLT, from);
}

static void fence(struct core *core, unsigned reg, unsigned asid, uintptr_t from) {
    if (in_user_mode(core)) riscv.raise(core->env, CAUSE_ILLEGAL, from);
    core_strain(core, reg ? MAINTENANCE_STRAIN : FLUSH_STRAIN);
    if (reg)
        windows_flush_page(core, core_x(core)[reg] & PAGE_MASK, ALL_INDEXES);
    else
        windows_flush(core, ALL_INDEXES);
    observed_fence(core, reg, asid);
}

void arch_asked(struct core *core, uintptr_t number, uintptr_t from) {
    unsigned reg = number >> KIND_BITS & 31, operation = (unsigned)(number >> (KIND_BITS + REG_BITS));
    switch ((enum ask)(number & ((1u << KIND_BITS) - 1))) {
    case ASK_FENCE_I:
        pages_invalidate_all(core);
        modelled_forget_code(core, false);
        break;
    case ASK_PAUSE: leave_behind(core, EXCP_YIELD, from); break;
    case ASK_WFI: wait(core, from); break;
    case ASK_SFENCE: fence(core, reg, operation, from); break;
    case ASK_MARK: trace(core, TRACE_MARK, 0, core_x(core)[reg], 0); break;
    case ASK_FLOAT: float_move(core, reg, operation, from); break;
    case ASK_CBO: cbo(core, operation, reg ? core_x(core)[reg] : 0, from); break;
    }
}
