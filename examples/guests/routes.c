/*
 * Every vCPU sends interrupts to others, and changes on the way where they go. Armv8, GICv3: SPIs by the distributor, whose route,
 * priority and enable change while they are pending or active; the UART's level; SGIs to lists and to all others; PPIs by the
 * redistributor of another. RISC-V: sources of the APLIC, whose target and enable change, by messages or not; the UART's level, of
 * a PLIC too, whose contexts, priority and thresholds change; software interrupts to lists; one that a hart has for itself, in its
 * file or in sip; an APLIC's iforce of another hart. Each must come, and come once.
 */
#include "guest.h"
#include "parameters.h"

#define SOURCE 50u /* and those behind it: nobody's, made pending by software */
#define SOURCES 8u
#define PATIENCE 8 /* seconds */

struct count {
    _Alignas(64) uint64_t sent, taken;
};
static struct count sources[SOURCES], level, sent_by[MAX_CPUS][MAX_CPUS], own[MAX_CPUS];
static struct {
    _Alignas(64) uint64_t random, sent;
} state[MAX_CPUS];
static uint64_t rounds = 300, prepared, finished;
static uint32_t started;
static unsigned cpus;

static unsigned draw(unsigned cpu, unsigned bound) {
    uint64_t *random = &state[cpu].random;
    *random = *random * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(*random >> 33) % bound;
}

#include "routes.h"

void on_interrupt(unsigned intid) {
    unsigned cpu = this_cpu();
    if (intid == TIMER_INTID)
        timer_off();
    else if (intid - SOURCE < SOURCES)
        add(&sources[intid - SOURCE].taken);
    else if (intid - FIRST_SOFTWARE < MAX_CPUS)
        add(&sent_by[intid - FIRST_SOFTWARE][cpu].taken);
    else if (intid == OWN)
        add(&own[cpu].taken);
    else if (intid == UART_INTID && take_level())
        add(&level.taken);
}

/* Awake, or asleep until its own timer: then it may be woken by what it waits for alone. */
static void expect(unsigned cpu, const char *what, struct count *count) {
    uint64_t end = ticks() + PATIENCE * ticks_per_second();
    while (LOAD(&count->taken) < count->sent && ticks() < end) {
        yield();
        if (draw(cpu, 4)) continue;
        timer_set(ticks() + ticks_per_second() / 1000);
        mask_interrupts();
        if (LOAD(&count->taken) < count->sent) wfi();
        unmask_interrupts();
    }
    state[cpu].sent++;
    if (LOAD(&count->taken) == count->sent) return;
    print_line("routes: vCPU %u sent %u of %s, and %u came: FAILED", (uint64_t)cpu, count->sent, what, LOAD(&count->taken));
    power_off("routes");
}

static void change(unsigned cpu, unsigned intid) {
    for (unsigned changes = draw(cpu, 4); changes; changes--) {
        switch (draw(cpu, 3)) {
        case 0: route(cpu, intid); break;
        case 1: prefer(cpu, intid); break;
        case 2: switch_off(intid), switch_on(intid); break;
        }
    }
}

static void send_software(unsigned cpu) {
    unsigned all = (1u << cpus) - 1, list = 1 + draw(cpu, all);
    bool others = draw(cpu, 4) == 0;
    if (others) list = all & ~(1u << cpu);
    for (unsigned to = 0; to < cpus; to++) sent_by[cpu][to].sent += list >> to & 1;
    send_to(cpu, list, others);
    for (unsigned to = 0; to < cpus; to++) expect(cpu, A_SOFTWARE, &sent_by[cpu][to]);
}

static void send_source(unsigned cpu) {
    if (!has_sources()) {
        send_software(cpu);
        return;
    }
    unsigned mine = cpu + cpus * draw(cpu, SOURCES / cpus), intid = SOURCE + mine;
    bool off = draw(cpu, 4) == 0;
    route(cpu, intid);
    if (off) switch_off(intid);
    sources[mine].sent++;
    dsb();
    pend(intid);
    if (!off) change(cpu, intid);
    switch_on(intid);
    expect(cpu, A_SOURCE, &sources[mine]);
}

static void send_level(unsigned cpu) {
    level.sent++;
    route(cpu, UART_INTID);
    dsb();
    raise_level();
    change(cpu, UART_INTID);
    expect(cpu, "the UART's", &level);
}

static void meet(uint64_t *place) {
    add(place);
    while (LOAD(place) < cpus) yield();
}

static void work(unsigned cpu) {
    state[cpu].random = cpu + 1;
    irqc_init_cpu();
    irqc_enable_level(TIMER_INTID);
    for (unsigned from = 0; from < MAX_CPUS; from++) irqc_enable(FIRST_SOFTWARE + from);
    prepare(cpu);
    meet(&prepared);
    unmask_interrupts();
    for (uint64_t round = 0; round < rounds; round++) {
        switch (draw(cpu, 4)) {
        case 0: send_source(cpu); break;
        case 1: cpu ? send_source(cpu) : send_level(cpu); break;
        case 2: send_software(cpu); break;
        case 3: send_own(cpu); break;
        }
    }
    meet(&finished);
}

void guest_secondary(unsigned cpu) {
    while (!LOAD(&started)) yield();
    work(cpu);
    for (;;) wfi();
}

static uint64_t twice(const struct count *counts, unsigned count) {
    uint64_t found = 0;
    while (count--) found += counts[count].sent != LOAD(&counts[count].taken);
    return found;
}

void guest_main(void) {
    const struct parameter known[] = {{"rounds", &rounds}};
    parameters_read("routes", known, 1);
    irqc_init();
    print_line("routes: %u rounds", rounds); /* what it sends raises the line, when it is unmasked */
    prepare_level();
    irqc_enable_level(UART_INTID);
    cpus = start_secondaries(MAX_CPUS);
    STORE(&started, 1);
    work(0);
    for (uint64_t end = ticks() + ticks_per_second() / 20; ticks() < end;) {
        timer_set(end);
        wfi();
    }
    uint64_t wrong = twice(sources, SOURCES) + twice(&level, 1) + twice(sent_by[0], MAX_CPUS * MAX_CPUS) + twice(own, MAX_CPUS), sent = 0;
    for (unsigned cpu = 0; cpu < cpus; cpu++) sent += state[cpu].sent;
    print_line("routes: %u vCPUs, %u waited for", (uint64_t)cpus, sent);
    print_line("routes: %s", wrong ? "FAILED" : "all came once");
    power_off("routes");
}
