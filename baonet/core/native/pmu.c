/*
 * The cycle counter of the performance monitors (Arm ARM D13.8): PMCCNTR_EL0, and what starts, stops and resets it. It
 * counts cycles of virtual time, or nanoseconds of the host's clock. The library's own counts the host CPU's, so no two
 * runs would read the same. There are no event counters (PMCR_EL0.N is 0): the library's never count, since its PMCR_EL0
 * is never written.
 */
#include "engine.h"

#define PMCR_E 1u
#define PMCR_C 4u
#define PMCR_D 8u
#define PMCR_KEPT 0x7bu /* E, D, X, DP, LC */
#define PMCR_IMPLEMENTER ('A' << 24)
#define CYCLE_COUNTER (1u << 31)

static uint64_t count(struct core *core) {
    struct pmu *pmu = &core->pmu;
    bool counting = pmu->control & PMCR_E && pmu->enabled;
    return pmu->value + (counting ? (clock_seen(core) - pmu->since) / (pmu->control & PMCR_D ? 64 : 1) : 0);
}

/* Before anything changes how it counts. */
static void stop(struct core *core, uint64_t value) {
    core->pmu.value = value;
    core->pmu.since = clock_seen(core);
}

uint64_t pmu_read_control(void *env, const void *ri) {
    (void)env, (void)ri;
    return PMCR_IMPLEMENTER | running->pmu.control;
}

void pmu_write_control(void *env, const void *ri, uint64_t value) {
    (void)env, (void)ri;
    stop(running, value & PMCR_C ? 0 : count(running));
    running->pmu.control = value & PMCR_KEPT;
}

uint64_t pmu_read_enabled(void *env, const void *ri) {
    (void)env, (void)ri;
    return running->pmu.enabled ? CYCLE_COUNTER : 0;
}

void pmu_enable(void *env, const void *ri, uint64_t value) {
    (void)env, (void)ri;
    stop(running, count(running));
    if (value & CYCLE_COUNTER) running->pmu.enabled = true;
}

void pmu_disable(void *env, const void *ri, uint64_t value) {
    (void)env, (void)ri;
    stop(running, count(running));
    if (value & CYCLE_COUNTER) running->pmu.enabled = false;
}

uint64_t pmu_read_cycles(void *env, const void *ri) {
    (void)env, (void)ri;
    return count(running);
}

void pmu_write_cycles(void *env, const void *ri, uint64_t value) {
    (void)env, (void)ri;
    stop(running, value);
}
