#include "answers.h"

#include "architecture.h"
#include "clock.h"
#include "crossing.h"
#include "leave.h"

static const struct answer *find(struct core *core) {
    const uint64_t *x = core_x(core);
    for (const struct answer *answer = core->answers->answers; answer < core->answers->answers + core->answers->count; answer++) {
        unsigned holding = 0;
        while (holding < answer->conditions &&
               (x[answer->condition[holding].number] & answer->condition[holding].mask) == answer->condition[holding].value)
            holding++;
        if (holding == answer->conditions) return answer->asks ? NULL : answer;
    }
    return NULL;
}

/*
 * Whether nothing would come between the exit and the guest's next instruction. In virtual time a guest that has others beside it
 * stops where it is left, and they may go on first; and when the hypervisor is done its stay may be over, or a timer due.
 */
static bool goes_on(struct core *core, enum exit_reason reason) {
    const struct state *state = &core->state;
    if (core->scratch.reason != EXIT_NONE || state->event_head != state->event_tail || state->rest) return false;
    if (!core->hz) return !arch_due(core);
    return !core->scratch.frozen && !core->scratch.polite && !core->model && clock_goes_on(core, core->costs[reason]);
}

bool answers_call(struct core *core, enum exit_reason reason, unsigned length) {
    const struct answer *answer = core->answers && goes_on(core, reason) ? find(core) : NULL;
    if (!answer) return false;
    running = NULL;
    crossing_depart(core, reason);
    core_pc(core) += length;
    for (unsigned i = 0; i < answer->results; i++) core_x(core)[answer->result[i].number] = answer->result[i].value;
    crossing_arrive(core);
    running = core;
    if (core->hz) clock_plan(core);
    core_strain(core, 1);
    return true;
}
