/*
 * The generic timer as EL1 sees it (Arm ARM D11): CNTV_*, CNTP_*, CNTVCT, CNTPCT, with CNTVOFF_EL2 = 0. Counters follow
 * the machine's clock from its start, the same start for all its CPUs. When the CPU has something to tell by itself: of its
 * timers, and of the performance monitors.
 */
#include "armv8/timer.h"

#include "architecture.h"
#include "armv8/pmu.h"
#include "clock.h"
#include "leave.h"
#include "polling.h"

#define TIMER_ENABLE 1u
#define TIMER_IMASK 2u
#define ISTATUS 4u

static bool armed(const struct timer *timer) {
    return timer->assigned && !timer->active && (timer->ctl & (TIMER_ENABLE | TIMER_IMASK)) == TIMER_ENABLE;
}

uint64_t timer_now(struct core *core) { return clock_ticks(core, clock_visible(core)); }

/* In virtual time `due` says the same, without a division. */
static bool has_come(struct core *core, const struct timer *timer) {
    return core->hz ? clock_visible(core) >= timer->due : timer_now(core) >= timer->cval;
}

bool arch_due(struct core *core) {
    uint64_t monitors = pmu_alarm(core);
    if (monitors != UINT64_MAX && clock_visible(core) >= monitors) return true;
    for (int i = 0; i < TIMERS; i++)
        if (armed(&core->state.arch.timers[i]) && has_come(core, &core->state.arch.timers[i])) return true;
    return false;
}

bool arch_fired(struct core *core, uint32_t *interrupt, uint64_t *due) {
    if (!arch_due(core)) return false;
    for (int i = 0; i < TIMERS; i++) {
        struct timer *timer = &core->state.arch.timers[i];
        if (!armed(timer) || !has_come(core, timer)) continue;
        timer->active = true;
        *interrupt = timer->intid;
        *due = timer->due;
        return true;
    }
    return pmu_fired(core, interrupt, due);
}

uint64_t arch_alarm(struct core *core) {
    const struct timer *timers = core->state.arch.timers;
    uint64_t first = pmu_alarm(core);
    for (int i = 0; i < TIMERS; i++)
        if (armed(&timers[i]) && timers[i].due < first) first = timers[i].due;
    return first;
}

/* A timer is due by the time that its guest sees, which stands while it is ahead of the clock: the rest passes by the clock. */
int64_t arch_deadline(struct core *core) {
    int64_t best = -1;
    uint64_t seen = timer_now(core), now = clock_ticks(core, clock_now(core));
    for (int i = 0; i < 2; i++) {
        if (!armed(&core->state.arch.timers[i])) continue;
        uint64_t cval = core->state.arch.timers[i].cval;
        int64_t ns = clock_nanoseconds(core, cval > seen && cval > now ? cval - now : 0);
        if (best < 0 || ns < best) best = ns;
    }
    uint64_t monitors = pmu_alarm(core), time = clock_now(core);
    if (monitors == UINT64_MAX) return best;
    int64_t ns = monitors > time ? (int64_t)(monitors - time) : 0;
    return best < 0 || ns < best ? ns : best;
}

/* When a counter comes to its timer's value follows from that. */
void timer_renew(struct core *core) {
    if (!core->hz) return;
    for (int i = 0; i < TIMERS; i++)
        core->state.arch.timers[i].due = clock_of_tick(core, core->state.arch.timers[i].cval);
}

void timer_deactivate(struct core *core, uint32_t intid) {
    if (intid == PMU_INTERRUPT) core->state.arch.pmu.active = 0;
    for (int i = 0; i < 2; i++)
        if (core->state.arch.timers[i].intid == intid) core->state.arch.timers[i].active = false;
    if (core->hz && running == core) clock_plan(core); /* it may be armed for soon already */
}

uint64_t timer_count(void *env, const void *ri) {
    (void)env, (void)ri;
    polling_look(running);
    return clock_ticks(running, clock_seen(running));
}

uint64_t timer_read_register(unsigned which, unsigned which_register) {
    struct timer *timer = &running->state.arch.timers[which];
    uint64_t now = clock_ticks(running, clock_seen(running));
    switch (which_register) {
    case TIMER_TVAL: return (uint32_t)(timer->cval - now);
    case TIMER_CTL: return timer->ctl | ((timer->ctl & TIMER_ENABLE) && now >= timer->cval ? ISTATUS : 0);
    default: return timer->cval;
    }
}

void timer_write_register(unsigned which, unsigned which_register, uint64_t value) {
    struct timer *timer = &running->state.arch.timers[which];
    switch (which_register) {
    case TIMER_TVAL: timer->cval = clock_ticks(running, clock_seen(running)) + (uint64_t)(int64_t)(int32_t)value; break;
    case TIMER_CTL: timer->ctl = value & (TIMER_ENABLE | TIMER_IMASK); break;
    default: timer->cval = value;
    }
    if (running->hz) {
        timer->due = clock_of_tick(running, timer->cval);
        clock_plan(running);
    }
    if (arch_due(running)) FIELD(uint8_t, running->cpu, CS_EXIT_REQUEST) = 1;
}

static unsigned timer_of(const void *ri) { return FIELD(uint8_t, ri, RI_CRM) == 3 ? TIMER_VIRTUAL : TIMER_PHYSICAL; }

uint64_t timer_read(void *env, const void *ri) {
    (void)env;
    return timer_read_register(timer_of(ri), FIELD(uint8_t, ri, RI_OP2));
}

void timer_write(void *env, const void *ri, uint64_t value) {
    (void)env;
    timer_write_register(timer_of(ri), FIELD(uint8_t, ri, RI_OP2), value);
}
