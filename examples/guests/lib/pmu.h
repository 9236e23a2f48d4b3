/* What the CPU counts of its caches, where it does: the same events everywhere, each of which can be missing. */
#ifndef GUEST_PMU_H
#define GUEST_PMU_H

#include "guest.h"

enum pmu_event { INSTRUCTIONS, L1I_REFILLS, L1D_REFILLS, L2_REFILLS, ITLB_REFILLS, DTLB_REFILLS, PMU_EVENTS };

static const char *const pmu_names[PMU_EVENTS] = {
    "instructions", "L1I refills", "L1D refills", "L2 refills", "ITLB refills", "DTLB refills",
};

/* Of the architecture. A counter has 32 bits. */
static bool pmu_counts(enum pmu_event event);
static void pmu_begin(void);
static uint32_t pmu_count(enum pmu_event event);

#include "pmu_counters.h"

struct pmu_sums {
    uint32_t last[PMU_EVENTS];
    uint64_t sums[PMU_EVENTS];
};

/* From here on. */
static inline void pmu_mark(struct pmu_sums *counted) {
    for (unsigned event = 0; event < PMU_EVENTS; event++)
        if (pmu_counts(event)) counted->last[event] = pmu_count(event);
}

/* Adds what has been counted since. */
static inline void pmu_add(struct pmu_sums *counted) {
    for (unsigned event = 0; event < PMU_EVENTS; event++)
        if (pmu_counts(event)) counted->sums[event] += pmu_count(event) - counted->last[event];
}

/* Of so many of `what`, a line for each event that there is. */
static inline void pmu_print(const struct pmu_sums *counted, const char *guest, uint64_t times, const char *what) {
    for (unsigned event = 0; event < PMU_EVENTS; event++)
        if (pmu_counts(event))
            print_line("%s: %u %s in %u %s", guest, counted->sums[event], pmu_names[event], times, what);
}

#endif
