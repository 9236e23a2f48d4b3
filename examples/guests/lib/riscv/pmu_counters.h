/* Of pmu.h: a guest has counters by SBI's PMU extension, which Bao does not have. */
static bool pmu_counts(enum pmu_event event) {
    (void)event;
    return false;
}
static void pmu_begin(void) {}
static uint32_t pmu_count(enum pmu_event event) {
    (void)event;
    return 0;
}
