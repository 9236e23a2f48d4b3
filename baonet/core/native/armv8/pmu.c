/*
 * The performance monitors (Arm ARM D13.8): the cycle counter and the 6 event counters of Armv8-A cores. Cycles are
 * those of virtual time, or nanoseconds of the host's clock; the library's own counts the host CPU's, so no two runs
 * would read the same. Of the events, those that PMCEID0_EL0 tells count: CPU_CYCLES, SW_INCR in PMSWINC_EL0, and where
 * memory takes time instructions and what the model of the memory system counts of the guest. There instructions are those
 * to the end of the block that runs, memory accesses those that have been made. What a second-level cache has really missed
 * is known at the end of a window: a counter then goes on by more, or stands still until its due is more than it has told.
 * Counters that go on by themselves are brought up to date when something of them is touched. Of the filters, both EL1 and EL0
 * excluded stops a counter, either alone does not.
 *
 * While a counter has overflowed whose bit in PMINTENSET_EL1 is set, the monitors' interrupt is up. It is told the hypervisor once, as
 * a timer's is, and again if it is up when the guest has ended it. When it comes follows from what the guest does: for cycles and
 * instructions the moment is known before, and the block that would begin at or after it does not run; what the memory
 * system does is looked at where something stalls, and when a window begins.
 */
#include "armv8/pmu.h"

#include <string.h>

#include "armv8/arm.h"
#include "armv8/register_table.h"
#include "architecture.h"
#include "clock.h"
#include "leave.h"
#include "modelled.h"

#define CYCLES PMU_COUNTERS /* the index of the cycle counter */
#define CYCLES_BIT 31
#define COUNTERS_MASK ((1u << PMU_COUNTERS) - 1)
#define IMPLEMENTED (COUNTERS_MASK | 1u << CYCLES_BIT)

#define PMCR_E 1u
#define PMCR_P 2u
#define PMCR_C 4u
#define PMCR_D 8u
#define PMCR_LC 0x40u
#define PMCR_KEPT 0xf9u /* E, D, X, DP, LC, LP */
#define PMCR_FIXED ('A' << 24 | PMU_COUNTERS << 11)

#define TYPE_KEPT 0xfe00ffffu
#define FILTER_KEPT 0xfc000000u
#define EXCLUDE_EL1_AND_EL0 0xc0000000u
#define EVENT_MASK 0xffffu
#define SW_INCR 0x00u
#define CPU_CYCLES 0x11u
/* Of the guest's memory system, and of what it executes. */
#define L1I_CACHE_REFILL 0x01u
#define L1I_TLB_REFILL 0x02u
#define L1D_CACHE_REFILL 0x03u
#define L1D_CACHE 0x04u
#define L1D_TLB_REFILL 0x05u
#define INST_RETIRED 0x08u
#define MEM_ACCESS 0x13u
#define L2D_CACHE 0x16u
#define L2D_CACHE_REFILL 0x17u

#define PMCR SYSREG(3, 3, 9, 12, 0)
#define PMCNTENSET SYSREG(3, 3, 9, 12, 1)
#define PMCNTENCLR SYSREG(3, 3, 9, 12, 2)
#define PMOVSCLR SYSREG(3, 3, 9, 12, 3)
#define PMSWINC SYSREG(3, 3, 9, 12, 4)
#define PMSELR SYSREG(3, 3, 9, 12, 5)
#define PMCEID0 SYSREG(3, 3, 9, 12, 6)
#define PMCCNTR SYSREG(3, 3, 9, 13, 0)
#define PMXEVTYPER SYSREG(3, 3, 9, 13, 1)
#define PMXEVCNTR SYSREG(3, 3, 9, 13, 2)
#define PMOVSSET SYSREG(3, 3, 9, 14, 3)
#define PMINTENSET SYSREG(3, 0, 9, 14, 1)
#define PMINTENCLR SYSREG(3, 0, 9, 14, 2)
#define PMCCFILTR SYSREG(3, 3, 14, 15, 7)
#define PMEVCNTR(n) SYSREG(3, 3, 14, 8, n)
#define PMEVTYPER(n) SYSREG(3, 3, 14, 12, n)

/* What tells these registers apart in AArch64 and AArch32 alike: CRn, CRm and op2. */
#define KEY(reg) ((reg) & 0x7ff)

/* PMCR_EL0.IDCODE, by the CPU's part number; QEMU's `max` has a Cortex-A57's. */
static uint32_t idcode(struct core *core) {
    switch (FIELD(uint64_t, core->env, ENV_VPIDR_EL2) >> 4 & 0xfff) {
    case 0xd03: return 3 << 16;
    case 0xd08: return 2 << 16;
    default: return 1 << 16;
    }
}

static uint32_t bit(unsigned n) { return 1u << (n == CYCLES ? CYCLES_BIT : n); }

static bool counts(const struct pmu *pmu, unsigned n) {
    if (!(pmu->control & PMCR_E) || !(pmu->enabled & bit(n))) return false;
    return (pmu->type[n] & EXCLUDE_EL1_AND_EL0) != EXCLUDE_EL1_AND_EL0;
}

/* How often something has been in the guest, since the core was made. */
static uint64_t occurred(const struct core *core, uint32_t event) {
    const struct memsys_counters *counters = &core->view.memsys->counters[0];
    switch (event) {
    case INST_RETIRED: return core_retired(core);
    case L1I_CACHE_REFILL: return counters->l1i_misses;
    case L1I_TLB_REFILL: return counters->tlb_i_misses; /* walks: the A53 counts no refills of its micro-TLBs */
    case L1D_CACHE_REFILL: return counters->l1d_misses - counters->streamed; /* a line that is only written passes by */
    case L1D_CACHE:
    case MEM_ACCESS: return counters->loads + counters->stores;
    case L1D_TLB_REFILL: return counters->tlb_d_misses;
    case L2D_CACHE: return counters->l2_accesses;
    case L2D_CACHE_REFILL: return counters->l2_misses;
    default: return 0;
    }
}

static uint32_t events(const struct core *core) {
    uint32_t always = 1u << SW_INCR | 1u << CPU_CYCLES;
    if (!core->view.memsys) return always;
    return always | 1u << L1I_CACHE_REFILL | 1u << L1I_TLB_REFILL | 1u << L1D_CACHE_REFILL | 1u << L1D_CACHE |
           1u << L1D_TLB_REFILL | 1u << INST_RETIRED | 1u << MEM_ACCESS | 1u << L2D_CACHE | 1u << L2D_CACHE_REFILL;
}

static void advance(struct pmu *pmu, unsigned n, uint64_t events) {
    uint64_t old = pmu->value[n], now = old + events;
    bool whole = n == CYCLES && pmu->control & PMCR_LC; /* it overflows at 64 bits and not at 32 */
    if (whole ? now < old : now >> 32 != old >> 32) pmu->overflowed |= bit(n);
    pmu->value[n] = n == CYCLES ? now : (uint32_t)now;
}

/* What an exception or a window's edge takes back is not taken from a counter: it does not go on until that has come again. */
static void catch_up_events(struct core *core) {
    struct pmu *pmu = &core->state.arch.pmu;
    for (unsigned n = 0; n < CYCLES; n++) {
        uint64_t occurred_now = occurred(core, pmu->type[n] & EVENT_MASK);
        if (occurred_now <= pmu->told[n]) continue;
        if (counts(pmu, n)) advance(pmu, n, occurred_now - pmu->told[n]);
        pmu->told[n] = occurred_now;
    }
}

/* Before anything is read, or changes how it counts. */
static void catch_up(struct core *core) {
    struct pmu *pmu = &core->state.arch.pmu;
    uint64_t passed = clock_seen(core) - pmu->since, cycles = passed + pmu->rest;
    pmu->since += passed;
    if (core->view.memsys) catch_up_events(core);
    for (unsigned n = 0; n < CYCLES; n++)
        if (counts(pmu, n) && (pmu->type[n] & EVENT_MASK) == CPU_CYCLES) advance(pmu, n, passed);
    if (!counts(pmu, CYCLES)) return;
    unsigned divider = pmu->control & PMCR_D ? 64 : 1;
    pmu->rest = cycles % divider;
    advance(pmu, CYCLES, cycles / divider);
}

/* The cycle at which a counter overflows, or what the host's clock shows then; all ones: not by itself. */
static uint64_t overflows(const struct core *core, unsigned n) {
    const struct pmu *pmu = &core->state.arch.pmu;
    uint64_t value = pmu->value[n], rest = (UINT64_C(1) << 32) - (uint32_t)value;
    uint32_t event = pmu->type[n] & EVENT_MASK;
    if (n == CYCLES) {
        unsigned __int128 ticks = pmu->control & PMCR_LC ? ((unsigned __int128)1 << 64) - value : rest;
        unsigned __int128 at = pmu->since + ticks * (pmu->control & PMCR_D ? 64 : 1) - pmu->rest;
        return at > INT64_MAX ? UINT64_MAX : (uint64_t)at;
    }
    if (event == CPU_CYCLES) return pmu->since + rest;
    if (event != INST_RETIRED || !core->view.memsys || core->state.waiting || core->state.outside) return UINT64_MAX;
    uint64_t after = clock_after(core, pmu->told[n] + rest - 1), floor = core->state.floor;
    return after > floor ? after : floor + 1; /* others' time does not retire instructions */
}

uint64_t pmu_alarm(const struct core *core) {
    const struct pmu *pmu = &core->state.arch.pmu;
    uint64_t first = UINT64_MAX;
    if (!pmu->interrupting || !core->arch.monitors || pmu->active || !(pmu->control & PMCR_E)) return first;
    if (pmu->overflowed & pmu->interrupting) return 0;
    for (unsigned n = 0; n <= CYCLES; n++) {
        if (!(pmu->interrupting & bit(n)) || !counts(pmu, n)) continue;
        uint64_t at = overflows(core, n);
        if (at < first) first = at;
    }
    return first;
}

bool pmu_fired(struct core *core, uint32_t *interrupt, uint64_t *due) {
    uint64_t at = pmu_alarm(core), now = at == UINT64_MAX ? 0 : clock_visible(core);
    if (at == UINT64_MAX || now < at) return false;
    core->state.arch.pmu.active = 1;
    *interrupt = PMU_INTERRUPT;
    *due = at ? at : now;
    return true;
}

/* In mid-block, or between two stays. */
static void look(struct core *core) {
    catch_up_events(core);
    if (running == core && !pmu_alarm(core)) clock_plan(core);
}

/* After anything may have changed that says when it interrupts. */
void pmu_renew(struct core *core) {
    const struct pmu *pmu = &core->state.arch.pmu;
    if (core->model) core->model->watch = core->arch.monitors && pmu->interrupting & COUNTERS_MASK ? look : NULL;
}

static void plan(struct core *core) {
    pmu_renew(core);
    if (!core->arch.monitors) return;
    if (core->hz) clock_plan(core);
    if (arch_due(core)) FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST) = 1;
}

static void control(struct pmu *pmu, uint64_t value) {
    if (value & PMCR_P) memset(pmu->value, 0, CYCLES * sizeof *pmu->value);
    if (value & PMCR_C) pmu->value[CYCLES] = pmu->rest = 0;
    pmu->control = value & PMCR_KEPT;
}

static void increment(struct pmu *pmu, uint64_t counters) {
    for (unsigned n = 0; n < CYCLES; n++)
        if (counters & bit(n) && pmu->control & PMCR_E && pmu->enabled & bit(n) && (pmu->type[n] & EVENT_MASK) == SW_INCR)
            advance(pmu, n, 1);
}

/* Which counter PMXEVCNTR and PMXEVTYPER mean; they are RAZ/WI for those that are not there. */
static bool selected(const struct pmu *pmu, bool type, unsigned *n) {
    bool cycles = type && pmu->selected == CYCLES_BIT;
    *n = cycles ? CYCLES : pmu->selected;
    return cycles || *n < CYCLES;
}

static uint64_t *value_of(struct pmu *pmu, uint32_t reg) { return &pmu->value[reg & 7]; }

/* All 64 bits, whatever register it is for. */
uint64_t pmu_read_cycles(void *env, const void *ri) {
    (void)env, (void)ri;
    catch_up(running);
    plan(running);
    return running->state.arch.pmu.value[CYCLES];
}

void pmu_write_cycles(void *env, const void *ri, uint64_t value) {
    (void)env, (void)ri;
    catch_up(running);
    running->state.arch.pmu.value[CYCLES] = value;
    running->state.arch.pmu.rest = 0;
    plan(running);
}

uint64_t pmu_read(void *env, const void *ri) {
    struct core *core = running;
    struct pmu *pmu = &core->state.arch.pmu;
    uint32_t reg = KEY(register_encoding(ri));
    unsigned n;
    catch_up(core);
    plan(core); /* what has overflowed is known now */
    switch (reg) {
    case KEY(PMCR): return PMCR_FIXED | idcode(core) | pmu->control;
    case KEY(PMCNTENSET):
    case KEY(PMCNTENCLR): return pmu->enabled;
    case KEY(PMOVSSET):
    case KEY(PMOVSCLR): return pmu->overflowed;
    case KEY(PMINTENSET):
    case KEY(PMINTENCLR): return pmu->interrupting;
    case KEY(PMSELR): return pmu->selected;
    case KEY(PMCCNTR): return pmu_read_cycles(env, ri);
    case KEY(PMCCFILTR): return pmu->type[CYCLES];
    case KEY(PMXEVCNTR): return selected(pmu, false, &n) ? pmu->value[n] : 0;
    case KEY(PMXEVTYPER): return selected(pmu, true, &n) ? pmu->type[n] : 0;
    case KEY(PMSWINC): return 0;
    case KEY(PMCEID0): return events(core);
    }
    return reg >= KEY(PMEVTYPER(0)) ? pmu->type[reg & 7] : *value_of(pmu, reg);
}

static void write_type(struct core *core, unsigned n, uint64_t value) {
    struct pmu *pmu = &core->state.arch.pmu;
    pmu->type[n] = (uint32_t)value & (n == CYCLES ? FILTER_KEPT : TYPE_KEPT);
    if (n < CYCLES && core->view.memsys) pmu->told[n] = occurred(core, pmu->type[n] & EVENT_MASK);
}

static void write_register(struct core *core, const void *ri, uint64_t value) {
    struct pmu *pmu = &core->state.arch.pmu;
    uint32_t reg = KEY(register_encoding(ri)), bits = (uint32_t)value & IMPLEMENTED;
    unsigned n;
    switch (reg) {
    case KEY(PMCR): control(pmu, value); return;
    case KEY(PMCNTENSET): pmu->enabled |= bits; return;
    case KEY(PMCNTENCLR): pmu->enabled &= ~bits; return;
    case KEY(PMOVSSET): pmu->overflowed |= bits; return;
    case KEY(PMOVSCLR): pmu->overflowed &= ~bits; return;
    case KEY(PMINTENSET): pmu->interrupting |= bits; return;
    case KEY(PMINTENCLR): pmu->interrupting &= ~bits; return;
    case KEY(PMSWINC): increment(pmu, value); return;
    case KEY(PMSELR): pmu->selected = value & 0x1f; return;
    case KEY(PMCCNTR):
        pmu->value[CYCLES] = value;
        pmu->rest = 0;
        return;
    case KEY(PMCCFILTR): write_type(core, CYCLES, value); return;
    case KEY(PMXEVCNTR):
        if (selected(pmu, false, &n)) pmu->value[n] = (uint32_t)value;
        return;
    case KEY(PMXEVTYPER):
        if (selected(pmu, true, &n)) write_type(core, n, value);
        return;
    }
    if (reg >= KEY(PMEVTYPER(0)))
        write_type(core, reg & 7, value);
    else
        *value_of(pmu, reg) = (uint32_t)value;
}

void pmu_write(void *env, const void *ri, uint64_t value) {
    (void)env;
    catch_up(running);
    write_register(running, ri, value);
    plan(running);
}

/* The library has four event counters; its fourth is the pattern of the others, and of who may access them. */
static void define_like(struct core *core, uint32_t pattern, uint32_t reg) {
    uint8_t ri[RI_SIZE] __attribute__((aligned(8)));
    memcpy(ri, register_find(core, pattern), RI_SIZE);
    FIELD(uint8_t, ri, RI_CRM) = reg >> 3 & 15;
    FIELD(uint8_t, ri, RI_OP2) = reg & 7;
    arm.define_reg(core->cpu, ri, NULL);
}

static const uint32_t registers[] = {
    PMCR,         PMCNTENSET,   PMCNTENCLR,   PMOVSCLR,     PMSWINC,      PMSELR,       PMCEID0,      PMCCNTR,      PMXEVTYPER,
    PMXEVCNTR,    PMOVSSET,     PMINTENSET,   PMINTENCLR,   PMCCFILTR,    PMEVCNTR(0),  PMEVCNTR(1),  PMEVCNTR(2),
    PMEVCNTR(3),  PMEVTYPER(0), PMEVTYPER(1), PMEVTYPER(2), PMEVTYPER(3),
};

int pmu_define(struct core *core) {
    for (size_t i = 0; i < sizeof registers / sizeof *registers; i++)
        if (!register_redefine(core, registers[i], pmu_read, pmu_write)) return -1;
    /* PMUSERENR_EL0.ER is for these as well (Arm ARM D17.5.17), which the library leaves out. */
    void *access = FIELD(void *, register_find(core, PMXEVCNTR), RI_ACCESSFN);
    for (unsigned n = 0; n < 4; n++) FIELD(void *, register_find(core, PMEVCNTR(n)), RI_ACCESSFN) = access;
    for (unsigned n = 4; n < PMU_COUNTERS; n++) {
        define_like(core, PMEVCNTR(3), PMEVCNTR(n));
        define_like(core, PMEVTYPER(3), PMEVTYPER(n));
    }
    return 0;
}

/* What Bao does when it resets a vCPU: PMCR_EL0 becomes 0, all else stays. */
void pmu_stop(struct core *core) {
    catch_up(core);
    control(&core->state.arch.pmu, 0);
}
