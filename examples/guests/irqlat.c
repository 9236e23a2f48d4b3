/*
 * How late a timer's interrupt reaches a guest that finds nothing of its handler, or of the hypervisor's, in the first-level
 * caches: between two interrupts it writes to each line of as much memory as these hold, and each handler ends by emptying
 * the instruction cache. So each interrupt shows what is left of both in the second-level cache, which others may share.
 * J. Martins and S. Pinto measured so on boards (RTAS 2023, docs/studies/published); with a period of 10 ms there.
 */
#include "irqlat.h"

#include "guest.h"
#include "mark.h"
#include "parameters.h"
#include "pmu.h"
#include "samples.h"

#define LINE 64
#define MOST (1u << 20)
#define LATENCY 1 /* id of the marker */

static uint64_t period = 1000000, count = 200, warmup = 10, walk = 32 << 10, cold = 1, pmu; /* nanoseconds; bytes */
static struct pmu_sums counted;
static uint64_t came, deadline;
static _Alignas(4096) uint8_t lines[MOST];

static void set_timer(void) {
    deadline = ticks() + period * ticks_per_second() / 1000000000;
    timer_set(deadline);
}

void on_interrupt(unsigned intid) {
    uint64_t late = ticks() - deadline;
    if (intid != TIMER_INTID) return;
    if (came >= warmup) {
        MARK_NUMBER(LATENCY, nanoseconds(late));
        samples_add(late);
        if (pmu) pmu_add(&counted);
    }
    STORE(&came, came + 1);
    if (came < warmup + count)
        set_timer();
    else
        timer_off();
    if (pmu) pmu_mark(&counted);
    if (cold) forget_instructions();
}

void guest_main(void) {
    const struct parameter known[] = {
        {"period", &period}, {"count", &count}, {"warmup", &warmup}, {"walk", &walk}, {"cold", &cold}, {"pmu", &pmu},
    };
    parameters_read("irqlat", known, sizeof known / sizeof *known);
    if (count < 1 || count > SAMPLES || walk > MOST) {
        print_line("irqlat: needs a count of 1 to %u, and a walk of %u bytes at most", (uint64_t)SAMPLES, (uint64_t)MOST);
        power_off("irqlat");
    }
    irqc_init();
    irqc_init_cpu();
    irqc_enable_level(TIMER_INTID);
    if (pmu) pmu_begin();
    set_timer();
    unmask_interrupts();
    while (LOAD(&came) < warmup + count)
        for (uint64_t at = 0; at < walk; at += LINE) *(volatile uint8_t *)&lines[at] = (uint8_t)at;
    mask_interrupts();
    samples_sort();
    print_line("irqlat: %u interrupts, latency min/mean/max %u/%u/%u ns", count, samples_permille(0), samples_average(),
               samples_permille(1000));
    if (pmu) pmu_print(&counted, "irqlat", count, "intervals");
    power_off("irqlat");
}
