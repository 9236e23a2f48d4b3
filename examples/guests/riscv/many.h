/* Of many.c: where a vCPU stands, and how all are reached. A list is of 64 harts, in one call of SBI. */
#include "irqc.h"

#define ALL_AT_ONCE "messages"

static void by_lists(void) {
    for (unsigned cpu = 1; cpu < cpus; cpu++) irqc_note(BY_LIST, cpu);
    for (unsigned first = 0; first < cpus; first += 64) sbi(SBI_IPI, 0, first ? ~0ull : ~1ull, first, 0, 0);
}

static void at_once(void) {
    for (unsigned cpu = 1; cpu < cpus; cpu++) irqc_send(BY_IRM, cpu);
}

/* The number of a hart is what it was told; the file that has its number is its own. */
static bool is_astray(unsigned cpu) { return this_cpu() != cpu; }
static bool is_last(unsigned cpu) { return cpu_on(cpu + 1, secondary_start, 0) != 0; }
