#include "crossing.h"

#include "architecture.h"
#include "clock.h"
#include "modelled.h"
#include "trace.h"

/*
 * Whatever its hypervisor has told the guest since it left is from before now. It learns that when it goes on, and no
 * sooner: what it knows while it stands is what whoever takes a page of it is told.
 */
void crossing_learn(struct core *core) {
    if (core->state.waiting || core->state.outside || core->state.told) clock_seen(core);
    core->state.told = false;
}

void crossing_arrive(struct core *core) {
    crossing_learn(core);
    if (core->state.waiting) trace(core, TRACE_WAKE, 0, 0, 0);
    if (core->state.outside) trace(core, TRACE_ENTRY, 0, 0, 0);
    core->state.waiting = core->state.outside = false;
}

void crossing_depart(struct core *core, enum exit_reason reason) {
    core->state.statistics[reason]++;
    if (reason == EXIT_WFI) {
        core->state.waiting = true;
        trace(core, TRACE_WAIT, 0, core_pc(core), 0);
    } else if (reason > EXIT_KICKED) {
        core->state.outside = true;
        trace(core, TRACE_EXIT, reason, core_pc(core), arch_detail(core, reason));
        clock_skip(core, modelled_cost(core, reason));
    }
}
