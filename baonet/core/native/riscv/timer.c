/*
 * The timer (privileged architecture, 3.1.10 and Sstc). It fires once each time that it is set, at the start of the first block
 * that begins when it is due, or where the clock is exact: when a register is read that shows it. With Sstc that is the guest's own
 * business, and matters while it has enabled the interrupt.
 */
#include "riscv/timer.h"

#include "architecture.h"
#include "clock.h"
#include "leave.h"
#include "riscv/interrupts.h"
#include "riscv/registers.h"
#include "trace.h"

static bool armed(const struct core *core) {
    const struct timer *timer = &core->state.arch.timer;
    if (timer->fired) return false;
    return core->arch.sstc ? ENV64(core, ENV_MIE) & SIP(INTERRUPT_TIMER) : timer->compare != NEVER;
}

uint64_t timer_now(struct core *core) { return clock_ticks(core, clock_visible(core)); }

/* In virtual time `due` says the same, without a division. */
static bool has_come(struct core *core) {
    const struct timer *timer = &core->state.arch.timer;
    return core->hz ? clock_visible(core) >= timer->due : timer_now(core) >= timer->compare;
}

bool arch_due(struct core *core) { return armed(core) && has_come(core); }

static void fire(struct core *core) {
    struct timer *timer = &core->state.arch.timer;
    timer->fired = true;
    trace(core, TRACE_RAISED, NUMBER_LOCAL + INTERRUPT_TIMER, FROM_TIMER, timer->due);
    interrupts_update(core);
}

bool arch_fired(struct core *core, uint32_t *interrupt, uint64_t *due) {
    if (!arch_due(core)) return false;
    if (core->arch.sstc) {
        fire(core);
        return false;
    }
    core->state.arch.timer.fired = true;
    *interrupt = NUMBER_LOCAL + INTERRUPT_TIMER;
    *due = core->state.arch.timer.due;
    return true;
}

/* Where this is asked the clock is exact. */
void arch_update(struct core *core) {
    if (core->arch.sstc && arch_due(core)) fire(core);
    interrupts_update(core);
}

uint64_t arch_alarm(struct core *core) { return armed(core) ? core->state.arch.timer.due : UINT64_MAX; }

/* A timer is due by the time that its guest sees, which stands while it is ahead of the clock: the rest passes by the clock. */
int64_t arch_deadline(struct core *core) {
    if (!armed(core)) return -1;
    uint64_t seen = timer_now(core), now = clock_ticks(core, clock_now(core)), compare = core->state.arch.timer.compare;
    return clock_nanoseconds(core, compare > seen && compare > now ? compare - now : 0);
}

void timer_renew(struct core *core) {
    if (core->hz) core->state.arch.timer.due = clock_of_tick(core, core->state.arch.timer.compare);
}

bool timer_is_late(struct core *core) {
    const struct timer *timer = &core->state.arch.timer;
    return core->arch.sstc && !timer->fired && has_come(core);
}

void timer_look(struct core *core) {
    if (timer_is_late(core)) fire(core);
}

void timer_set(struct core *core, uint64_t compare) {
    core->state.arch.timer = (struct timer){.compare = compare};
    timer_renew(core);
    timer_look(core);
    interrupts_update(core);
    if (core->hz && running == core) clock_plan(core);
}
