/* Of pmu.h: PMUv3 (Arm ARM D13). An event of a number has the counter of that number here. */

static const uint8_t pmu_numbers[PMU_EVENTS] = {0x08, 0x01, 0x03, 0x17, 0x02, 0x05};

/* A CPU says which of the common events it counts. */
static bool pmu_counts(enum pmu_event event) {
    uint64_t version = READ_REGISTER("id_aa64dfr0_el1") >> 8 & 15;
    if (version == 0 || version == 15) return false;
    return event < (READ_REGISTER("pmcr_el0") >> 11 & 31) && (READ_REGISTER("pmceid0_el0") >> pmu_numbers[event] & 1);
}

static void pmu_begin(void) {
    for (unsigned event = 0; event < PMU_EVENTS; event++) {
        if (!pmu_counts(event)) continue;
        WRITE_REGISTER("pmselr_el0", event);
        isb();
        WRITE_REGISTER("pmxevtyper_el0", pmu_numbers[event]);
        WRITE_REGISTER("pmcntenset_el0", 1u << event);
    }
    WRITE_REGISTER("pmcr_el0", READ_REGISTER("pmcr_el0") | 1);
    isb();
}

static uint32_t pmu_count(enum pmu_event event) {
    WRITE_REGISTER("pmselr_el0", event);
    isb();
    return (uint32_t)READ_REGISTER("pmxevcntr_el0");
}
