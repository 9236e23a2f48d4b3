/*
 * What the guest has brought a core to, beside the registers of the library's CPU: plain data without a pointer, complete
 * between two stays, so that a copy of it is all that there is to keep. tests/core/test_state.py holds that.
 */
#ifndef BAONET_STATE_H
#define BAONET_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define EVENTS 1024 /* a power of two, and more than a block of guest code can note but of lines */

/* Why run() returned: baonet.hyp.cpu.Exit has the same numbers. */
enum exit_reason {
    EXIT_NONE = -1,
    EXIT_WFI,
    EXIT_BUDGET,
    EXIT_KICKED,
    EXIT_HVC,
    EXIT_SMC,
    EXIT_DATA_ABORT,
    EXIT_SYSTEM_REGISTER,
    EXIT_INTERRUPT,
    EXIT_MAINTENANCE,
    EXIT_DEACTIVATED,
    EXIT_LINE,
    EXIT_FAULT,
    EXIT_ERROR, /* a Python callback raised; never returned to Python as a number */
};
enum { EXIT_ESR, EXIT_FAR, EXIT_IPA, EXIT_INTID, EXIT_VALUE, EXIT_REGISTER, EXIT_FIELDS };

/* Indexes of the virtual CPU interface's registers: baonet.hyp.cpu has the same numbers. */
enum { ICH_LR0 = 0, ICH_HCR = 16, ICH_VMCR = 17, ICH_AP0R0 = 18, ICH_AP1R0 = 22, ICH_REGISTERS = 26 };

enum { TIMER_VIRTUAL, TIMER_PHYSICAL };
enum { TIMER_TVAL, TIMER_CTL, TIMER_CVAL }; /* op2 */
struct event {
    enum exit_reason reason; /* INTERRUPT, MAINTENANCE, DEACTIVATED or LINE */
    uint32_t intid;
    uint64_t value; /* of LINE: sequence << 1 | level */
};

struct timer {
    uint32_t intid;
    bool assigned, active;
    uint64_t ctl, cval;
    uint64_t due; /* virtual time: the first cycle at which the counter has reached cval */
};
#define TIMER_ENABLE 1u
#define TIMER_IMASK 2u
static inline bool timer_armed(const struct timer *timer) {
    return timer->assigned && !timer->active && (timer->ctl & (TIMER_ENABLE | TIMER_IMASK)) == TIMER_ENABLE;
}

struct exception { /* as EL1 sees it */
    uint32_t esr, spsr;
    uint64_t elr, far;
};

#define PMU_COUNTERS 6 /* of events; behind them in the arrays comes the cycle counter */
struct pmu {
    uint64_t since, rest; /* until when it has counted; cycles that PMCR_EL0.D left over */
    uint32_t control, enabled, overflowed, interrupting, selected;
    uint32_t type[PMU_COUNTERS + 1];
    uint64_t value[PMU_COUNTERS + 1];
};

/* Who changes anything in here counts up: what was kept by another version is not this. */
#define STATE_VERSION 1
struct state {
    uint32_t version;

    /* time: instructions, of which some are left; in virtual time cycles `skipped` by waiting and by what is paid for */
    int64_t left;
    uint64_t granted;
    uint64_t skipped;
    uint64_t seen;   /* the latest time that the guest has read */
    uint64_t latest; /* of the last record */
    uint64_t random; /* how often the guest has asked for a random number */
    bool waiting, outside; /* since the last WFI; since the last exit */
    bool doorbell;         /* has rung, and nobody was told */

    bool double_locked;
    uint32_t watching; /* a bit a watchpoint that is enabled */

    /* virtual CPU interface */
    uint64_t ich[ICH_REGISTERS];
    bool maintenance; /* is asked for, and noted */

    struct timer timers[2]; /* TIMER_VIRTUAL, TIMER_PHYSICAL */
    struct pmu pmu;

    /* exceptions that the guest takes itself, in this life of it */
    struct exception last_exception;
    uint64_t exceptions, spell, spell_began; /* instructions of the last spell of exceptions, and retired when it began */
    unsigned repeated;                       /* how often the last one came again */
    bool storm, storm_seen, storm_told;
    uint64_t interrupts, interrupts_began;     /* taken, and instructions retired when the spell of them began */
    bool interrupt_storm, storm_of_interrupts; /* there is one; it was the first storm of this life */

    uint64_t statistics[EXIT_ERROR];
    uint64_t native_exceptions, emulated_accesses, broadcasts, translated, invalidated;

    /* what the hypervisor has not heard yet */
    uint64_t exit[EXIT_FIELDS];
    enum exit_reason deferred; /* what the guest was left for, after the events; EXIT_NONE: nothing */
    uint64_t deferred_value;
    unsigned event_head, event_tail;
    struct event events[EVENTS];
};
_Static_assert(sizeof(struct state) == 17136, "another layout is another STATE_VERSION");

#endif
