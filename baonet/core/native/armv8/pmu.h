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

/* What Bao does when it resets a vCPU. */
void pmu_stop(struct core *core);

#endif
