/*
 * vCPUs 1 to 3 do some work on pages that all want, and switch themselves off; vCPUs 0, 4 and 5 switch them on again, all
 * at once, and ask how they are. Each start that was granted is one start. 6 vCPUs; device tree or none.
 */
#include "guest.h"

#define VCPUS 6
#define WORKERS 3
#define ROUNDS 400u

static struct {
    _Alignas(4096) uint64_t words[512];
} pages[3];
/* In a page each. `busy`: starts that were refused, as it runs or as it is to start; `off`: answers to how a vCPU is. */
static struct {
    _Alignas(4096) uint64_t started, on, busy, other, off, asked;
} seen[VCPUS];
static uint32_t finished;

static void want_pages(unsigned cpu, unsigned times) {
    for (unsigned i = 0; i < times; i++) {
        __atomic_fetch_add(&pages[i % 3].words[cpu], 1, __ATOMIC_SEQ_CST);
        pages[(i + cpu) % 3].words[100 + cpu] += pages[(i + 1) % 3].words[100 + (cpu + 1) % VCPUS];
    }
}

static void switch_on(unsigned cpu, unsigned round, unsigned times) {
    unsigned worker = 1 + (round + cpu) % WORKERS;
    seen[cpu].off += cpu_is_off(worker);
    seen[cpu].asked++;
    int64_t result = cpu_on(worker, secondary_start, worker);
    if (result == 0)
        seen[cpu].on++;
    else if (cpu_was_busy(result))
        seen[cpu].busy++;
    else
        seen[cpu].other++;
    want_pages(cpu, times);
}

void guest_secondary(unsigned cpu) {
    uint64_t start = ++seen[cpu].started;
    want_pages(cpu, 5 + (unsigned)(start * 7 % 40));
    if (cpu > WORKERS) {
        for (unsigned round = 0; round < ROUNDS; round++) switch_on(cpu, round, round * 5 % 23);
        __atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
    }
    cpu_off();
}

void guest_main(void) {
    uint64_t on = 0, started = 0, wrong = 0;
    if (start_secondaries(VCPUS) != VCPUS) {
        print_line("onoff: needs 6 CPUs");
        power_off("onoff");
    }
    for (unsigned round = 0; round < ROUNDS; round++) switch_on(0, round, round * 3 % 29);
    while (LOAD(&finished) < VCPUS - 1 - WORKERS) yield();
    for (unsigned cpu = 1; cpu < VCPUS; cpu++)
        while (!cpu_is_off(cpu)) yield();
    for (unsigned cpu = 0; cpu < VCPUS; cpu++) {
        on += seen[cpu].on + (cpu > 0); /* and once by start_secondaries */
        started += seen[cpu].started;
        wrong += seen[cpu].other;
        print_line("onoff: CPU %u started %u, switched on %u, refused %u", (uint64_t)cpu, seen[cpu].started, seen[cpu].on,
                   seen[cpu].busy);
        print_line("onoff: CPU %u found %u off of %u", (uint64_t)cpu, seen[cpu].off, seen[cpu].asked);
    }
    print_line(on == started && !wrong ? "onoff: %u starts, as it should be" : "onoff: %u starts, WRONG", started);
    power_off("onoff");
}
