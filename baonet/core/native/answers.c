#include "answers.h"

#include "architecture.h"
#include "clock.h"
#include "crossing.h"
#include "leave.h"

bool answer_holds(struct core *core, const struct answer *answer) {
    const uint64_t *x = core_x(core);
    for (unsigned i = 0; i < answer->conditions; i++)
        if ((x[answer->condition[i].number] & answer->condition[i].mask) != answer->condition[i].value) return false;
    return true;
}

void answer_give(struct core *core, const struct answer *answer) {
    for (unsigned i = 0; i < answer->results; i++) core_x(core)[answer->result[i].number] = answer->result[i].value;
}

static const struct answer *find(struct core *core) {
    const struct answers *given = core->answers;
    for (const struct answer *answer = given->answers; answer < given->answers + given->count; answer++)
        if (answer_holds(core, answer)) return answer->asks ? NULL : answer;
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
    answer_give(core, answer);
    crossing_arrive(core);
    running = core;
    if (core->hz) clock_plan(core);
    core_strain(core, 1);
    return true;
}
