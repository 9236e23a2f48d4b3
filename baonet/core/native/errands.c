#include "errands.h"

#include "architecture.h"
#include "clock.h"
#include "modelled.h"
#include "storm.h"
#include "trace.h"
#include "uart.h"

#define SEQUENCE_SHIFT 16 /* baonet.trace.records */
#define FROM_NOTIFICATION 3 /* baonet.hyp.cpu */
#define NOTHING (1ull << 62)

bool errands_interrupted(struct core *core) {
    arch_update(core);
    return FIELD(uint32_t, core->cpu, CS_INTERRUPT_REQUEST) & ARCH_INTERRUPT_INPUTS;
}

static bool is_due(struct core *core) {
    return core->errands->queued && core->errands->queue[0].due <= clock_now(core);
}

bool errands_alone(const struct core *core) {
    if (uart_has_output(core) || core->chunks.first || (core->outbox && PyList_GET_SIZE(core->outbox))) return false;
    return !storm_is_untold(core);
}

struct notification *errands_call(struct core *core, int reason) {
    struct errands *errands = core->errands;
    unsigned length;
    if (!arch_calls((enum exit_reason)reason, &length) || is_due(core)) return NULL;
    for (struct notification *each = errands->notifications; each < errands->notifications + errands->count; each++)
        if (answer_holds(core, &each->call)) return each;
    return NULL;
}

void errands_answer(struct core *core, int reason, const struct notification *notification) {
    unsigned length = 0;
    arch_calls((enum exit_reason)reason, &length);
    core->errands->exits[reason]++;
    core->errands->interrupted = false;
    core_pc(core) += length;
    answer_give(core, &notification->call);
}

void errands_notify(struct core *core, int reason, struct notification *notification, struct notice_to *notices) {
    struct errands *errands = core->errands;
    unsigned event = (uint32_t)core_x(core)[notification->event];
    errands_answer(core, reason, notification);
    uint64_t now = clock_visible(core);
    for (unsigned i = 0; i < notification->targets; i++) {
        uint64_t due = now + errands->latency, *free = &notification->target[i].free;
        if (due < *free) due = *free;
        *free = due;
        errands->told++;
        struct notice notice = {due, ++errands->sent, core->index, notification->object, event};
        notices[i] = (struct notice_to){notification->target[i].pcpu, notice};
        trace(core, TRACE_SENT, errands->number, notices[i].pcpu | notice.sequence << SEQUENCE_SHIFT, due);
    }
}

static bool before(const struct notice *left, const struct notice *right) {
    if (left->due != right->due) return left->due < right->due;
    return left->source != right->source ? left->source < right->source : left->sequence < right->sequence;
}

void errands_put(struct core *core, struct notice notice) {
    struct errands *errands = core->errands;
    unsigned at = errands->queued++;
    for (; at && before(&notice, &errands->queue[at - 1]); at--) errands->queue[at] = errands->queue[at - 1];
    errands->queue[at] = notice;
}

bool errands_left(struct core *core, int reason) {
    struct errands *errands = core->errands;
    if (reason == EXIT_WFI) {
        errands->waiting = !errands_interrupted(core);
    } else if (reason > EXIT_KICKED) {
        if (!errands->listed || !arch_ends(core, (enum exit_reason)reason, errands->expected.place)) return false;
        errands->exits[reason]++;
        errands->listed = false;
        errands->heard++;
    }
    errands->interrupted = false;
    return true;
}

/* Asks, once for each event, what would become of its interrupt. False: that is not all, or Python has an error. */
static bool expects(struct core *core, const struct notice *notice) {
    struct expected *expected = &core->errands->expected;
    if (expected->known && expected->object == notice->object && expected->event == notice->event) return expected->possible;
    *expected = (struct expected){.known = true, .object = notice->object, .event = notice->event};
    PyObject *found = PyObject_CallFunction(core->expects, "II", notice->object, notice->event);
    unsigned long long value;
    if (found && found != Py_None && PyArg_ParseTuple(found, "IIK", &expected->interrupt, &expected->place, &value)) {
        expected->possible = true;
        expected->value = value;
    }
    Py_XDECREF(found);
    return expected->possible;
}

bool errands_may_take(struct core *core, const struct notice *notice) { return !core->errands->listed && expects(core, notice); }

void errands_take(struct core *core, struct notice notice) {
    struct errands *errands = core->errands;
    const struct expected *expected = &errands->expected;
    core->state.told = true;
    trace(core, TRACE_ARRIVED, errands->number, notice.source | notice.sequence << SEQUENCE_SHIFT, notice.due);
    if (!errands->interrupted) {
        errands->interrupted = true;
        modelled_enter(core);
        clock_skip(core, modelled_cost(core, errands->cost));
    }
    trace(core, TRACE_RAISED, expected->interrupt, FROM_NOTIFICATION, 0);
    errands->listed = arch_list(core, expected->interrupt, expected->place, expected->value);
    errands->held = notice;
    if (!errands->listed) errands->heard++;
    if (errands->waiting) errands->waiting = !errands_interrupted(core);
}

/* The first in the queue. */
static bool take(struct core *core) {
    struct errands *errands = core->errands;
    struct notice notice = errands->queue[0];
    if (!errands_may_take(core, &notice)) return false;
    errands->queued--;
    for (unsigned i = 0; i < errands->queued; i++) errands->queue[i] = errands->queue[i + 1];
    errands_take(core, notice);
    return true;
}

bool errands_settle(struct core *core, uint64_t until, bool *goes_on, uint64_t *next) {
    struct errands *errands = core->errands;
    for (;;) {
        if (is_due(core)) {
            if (!take(core)) return false;
            continue;
        }
        uint64_t due = errands->queued ? errands->queue[0].due : NOTHING;
        *goes_on = !errands->waiting;
        *next = due;
        if (*goes_on) return true;
        uint64_t alarm = clock_alarm(core), now = clock_now(core);
        if (alarm < now) alarm = now;
        if (alarm < *next) *next = alarm;
        if (*next > until) return true;
        clock_skip(core, *next - now);
        errands->interrupted = false;
        if (*next < due) errands->waiting = false;
    }
}
