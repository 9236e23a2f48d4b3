/*
 * All vCPUs change code that the others run: each has functions of its own, changes them again and again, and calls
 * everybody's. The functions of different vCPUs share pages, or have pages of their own (`spread`). What a vCPU has published is what others must find once they
 * have seen that.
 */
#include "code.h"
#include "guest.h"
#include "parameters.h"

#define CASES 4096u /* that a function can answer: what it was, is and will be must differ */
#define PAGES 2     /* functions of a vCPU, each in another page */
#define LINE 16     /* words */
#define MAX_LINES 8

enum { FIRST_WAY, SECOND_WAY, BOTH }; /* of even and of odd rounds */

static _Alignas(4096) uint32_t functions[MAX_CPUS * PAGES][1024];
static _Alignas(4096) uint32_t cases[CASES][WORDS_OF_ANSWER];
static struct {
    _Alignas(64) uint32_t round;
    uint64_t stale[2], own;
} state[MAX_CPUS];
static uint64_t rounds = 500, ic = BOTH, data, spread, lines = 1, writers = MAX_CPUS, own = 1;
static uint32_t started, finished;
static unsigned cpus;

static uint32_t *function_of(unsigned cpu, uint32_t round) {
    unsigned page = round % PAGES + (spread ? cpu * PAGES : 0);
    return &functions[page][cpu * MAX_LINES * LINE];
}

#include "patch.h"

static void change(unsigned cpu, uint32_t round) {
    uint32_t *at = function_of(cpu, round);
    uint64_t distance = (uint64_t)((uintptr_t)cases[round % CASES] - (uintptr_t)at);
    *(volatile uint32_t *)at = BRANCH_TO(distance);
    synchronise(at, ic == SECOND_WAY || (ic == BOTH && round & 1));
    STORE(&state[cpu].round, round);
}

static uint32_t call(unsigned cpu, uint32_t round) {
    uint32_t (*function)(void) = (uint32_t(*)(void))(uintptr_t)function_of(cpu, round);
    see_code();
    return function();
}

/*
 * What `other` answers was published when this vCPU looked, or later, or will be next. Nothing can be said if so many
 * rounds went by that an old answer is a new one again, as when this vCPU was off its host's CPU.
 */
static void look(unsigned cpu, unsigned other) {
    uint32_t seen = LOAD(&state[other].round);
    if (!seen) return;
    uint32_t since = (call(other, seen) - seen) % CASES, newest = LOAD(&state[other].round) + PAGES - seen;
    if (newest < CASES && since > newest) state[cpu].stale[seen & 1]++;
}

static void look_at_all(unsigned cpu) {
    for (unsigned other = 0; other < cpus && other < writers; other++)
        if (other != cpu) look(cpu, other);
}

static void work(unsigned cpu) {
    for (unsigned looks = 1; cpu >= writers && LOAD(&finished) < writers; looks++) {
        look_at_all(cpu);
        if (looks % 64 == 0) yield();
    }
    for (uint32_t round = 1; cpu < writers && round <= rounds; round++) {
        change(cpu, round);
        if (own && call(cpu, round) != round % CASES) state[cpu].own++;
        look_at_all(cpu);
        /* Data beside the code: the page is stored to, and code of it may be dropped, without any IC. */
        if (data) function_of(cpu, round)[LINE / 2] = round;
    }
    FINISH(&finished);
}

void guest_secondary(unsigned cpu) {
    while (!LOAD(&started)) yield();
    work(cpu);
    cpu_off();
}

void guest_main(void) {
    const struct parameter known[] = {
        {"rounds", &rounds}, {"ic", &ic}, {"data", &data}, {"spread", &spread}, {"lines", &lines}, {"writers", &writers}, {"own", &own},
    };
    parameters_read("patch", known, 7);
    if (lines > MAX_LINES) lines = MAX_LINES;
    for (uint32_t n = 0; n < CASES; n++) {
        write_answer(cases[n], n);
    }
    SYNCHRONISE_ALL(cases);
    cpus = start_secondaries(MAX_CPUS);
    print_line("patch: %u vCPUs, %u rounds", (uint64_t)cpus, rounds);
    STORE(&started, 1);
    work(0);
    while (LOAD(&finished) != cpus) yield();
    uint64_t stale[2] = {0}, mine = 0;
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        stale[0] += state[cpu].stale[0];
        stale[1] += state[cpu].stale[1];
        mine += state[cpu].own;
    }
    print_line("patch: stale code in even rounds %u, in odd ones %u, one's own %u", stale[0], stale[1], mine);
    print_line("patch: %s", stale[0] + stale[1] + mine ? "FAILED" : "all seen");
    power_off("patch");
}
