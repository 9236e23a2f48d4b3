/* Entering the guest, leaving it, and why. One call of core_run() is one stay in the guest. */
#include "run.h"

#include <sched.h>

#include "architecture.h"
#include "broadcast.h"
#include "clock.h"
#include "count.h"
#include "crossing.h"
#include "events.h"
#include "host_rounding.h"
#include "leave.h"
#include "modelled.h"
#include "ownership.h"
#include "rest.h"
#include "settle.h"
#include "windows.h"

static enum exit_reason stay(struct core *core) {
    void *cpu = core->cpu;
    for (;;) {
        if (core->scratch.flush_code) { /* asked for while the library ran, or before */
            core->scratch.flush_code = false;
            count_flush(core);
        }
        FIELD(uint32_t, cpu, CS_HALTED) = 0;
        FIELD(int32_t, cpu, CS_EXCEPTION_INDEX) = -1;
        FIELD(uint8_t, cpu, CS_EXIT_REQUEST) = 0;
        FIELD(uint8_t, cpu, CS_STOPPED) = FIELD(uint8_t, cpu, CS_STOP) = 0;
        rest_enter(core);
        int result = unicorn.cpu_exec(core->uc, cpu);
        rest_end(core);
        if (core->scratch.blocked) return EXIT_BUDGET;
        if (core->scratch.reason != EXIT_NONE) {
            arch_left(core, core->scratch.reason);
            return event_in_order(core, core->scratch.reason);
        }
        int error = FIELD(int32_t, core->uc, UC_INVALID_ERROR);
        if (error) {
            /* Nothing is known that leads here. If a guest finds it, it stops that guest and no other. */
            FIELD(int32_t, core->uc, UC_INVALID_ERROR) = 0;
            arch_failed(core, error);
            return EXIT_FAULT;
        }
        enum exit_reason reason = event_pending(core);
        if (reason != EXIT_NONE) return reason;
        if (result == EXCP_HLT) return EXIT_WFI;
        if (result == EXCP_YIELD && core->hz && core->scratch.polite) { /* before a kick, which comes when the host likes */
            core->scratch.yielded = true;
            return EXIT_BUDGET;
        }
        if (core->state.doorbell) {
            core->state.doorbell = false;
            return EXIT_KICKED;
        }
        if (core->scratch.out_of_budget) return EXIT_BUDGET;
        if (result == EXCP_YIELD && !core->hz) { /* the guest waits for another CPU, which may wait for this one's */
            sched_yield();
            return EXIT_BUDGET;
        }
    }
}

static enum exit_reason enter(struct core *core) {
    core->scratch.reason = EXIT_NONE;
    core->scratch.out_of_budget = core->scratch.yielded = false;
    core->scratch.strain = 0;
    ownership_catch_up(core);
    windows_forget(core);
    count_enter(core);
    running = core;
    FIELD(int32_t, core->uc, UC_NESTED_LEVEL) = 1;
    arch_adopt(core);
    broadcast_enter(core);
    unsigned rounding = host_rounding_begin();
    enum exit_reason reason = stay(core);
    host_rounding_end(rounding);
    broadcast_leave(core);
    core->state.left += core->slot->budget;
    core->slot->budget = 0;
    arch_expose(core);
    FIELD(int32_t, core->uc, UC_NESTED_LEVEL) = 0;
    running = NULL;
    return reason;
}

int core_run(struct core *core, int64_t budget) {
    core->scratch.blocked = false;
    arch_update(core); /* the hypervisor may have changed anything */
    enum exit_reason reason = core->state.rest ? EXIT_NONE : event_pending(core);
    if (reason == EXIT_NONE) {
        int64_t rest = core->state.left + core->slot->budget; /* what the last stay did not use, or overdrew */
        core->state.granted += (uint64_t)(budget - (rest > 0 ? rest : 0));
        core->state.left = budget + (rest < 0 ? rest : 0);
        core->slot->budget = 0;
        core->scratch.entered = core_retired(core);
        reason = EXIT_BUDGET;
        if (core->state.left > 0) {
            if (!core->state.rest) crossing_arrive(core);
            settle_refill(core);
            reason = enter(core);
        }
    }
    if (reason != EXIT_ERROR) crossing_depart(core, reason);
    return reason;
}

/* In virtual time: until the clock shows `limit`, or a page is needed that may not be had. */
int core_run_until(struct core *core, uint64_t limit) {
    enum exit_reason reason = EXIT_NONE;
    core->scratch.blocked = false;
    modelled_enter(core);
    arch_update(core);
    if (!core->state.rest) reason = event_pending(core);
    if (reason == EXIT_NONE) {
        reason = EXIT_BUDGET;
        if (core->state.rest || clock_now(core) < limit) {
            if (core->state.rest)
                crossing_learn(core);
            else
                crossing_arrive(core);
            core->scratch.limit = limit;
            clock_plan(core);
            reason = enter(core);
            ownership_show(core);
        }
    }
    if (reason != EXIT_ERROR && !core->scratch.blocked) crossing_depart(core, reason);
    return reason;
}
