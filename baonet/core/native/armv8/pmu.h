/* The performance monitors. */
#ifndef BAONET_ARMV8_PMU_H
#define BAONET_ARMV8_PMU_H

#include "core.h"

/* -1 with a Python error. */
int pmu_define(struct core *core);

/* Of any of its registers but the cycle counter of 64 bits, by their entries, and of that. */
uint64_t pmu_read(void *env, const void *ri);
void pmu_write(void *env, const void *ri, uint64_t value);
uint64_t pmu_read_cycles(void *env, const void *ri);
void pmu_write_cycles(void *env, const void *ri, uint64_t value);

/* Its interrupt, as the timers have theirs: when it comes, by the time that the guest sees (all ones: not by itself), and whether it has. */
#define PMU_INTERRUPT 23 /* its INTID (Arm BSA) */
uint64_t pmu_alarm(const struct core *core);
bool pmu_fired(struct core *core, uint32_t *interrupt, uint64_t *due);

/* All of it has been replaced. */
void pmu_renew(struct core *core);

/* What Bao does when it resets a vCPU. */
void pmu_stop(struct core *core);

#endif
