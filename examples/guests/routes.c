/*
 * Every vCPU sends interrupts to others, and changes on the way where they go: SPIs by the distributor, whose route, priority and
 * enable change while they are pending or active; the UART's level; SGIs to lists and to all others; PPIs by the redistributor of
 * another. Each must come, and come once. GICv3.
 */
#include "guest.h"
#include "parameters.h"

#define SPI 50u /* and those behind it: nobody's, made pending by software */
#define SPIS 8u
#define PPI 20u
#define SGIS 8u /* each vCPU sends the one of its number */
#define PATIENCE 8 /* seconds */

#define ENABLE(intid) (0x100 + (intid) / 32 * 4) /* the same in GICD and in the SGI frame of a redistributor */
#define DISABLE(intid) (0x180 + (intid) / 32 * 4)
#define PEND(intid) (0x200 + (intid) / 32 * 4)
#define PRIORITY(intid) (0x400 + (intid))
#define ROUTE(intid) (0x6000 + 8 * (intid))
#define BIT(intid) (1u << (intid) % 32)
#define REDISTRIBUTOR(cpu) (GICR_BASE + 0x20000 * (uintptr_t)(cpu) + 0x10000)
#define UARTIMSC (UART_BASE + 0x38)
#define UARTMIS (UART_BASE + 0x40)
#define TRANSMITTED 0x20u

struct count {
    _Alignas(64) uint64_t sent, taken;
};
static struct count spis[SPIS], level, sgis[SGIS][MAX_CPUS], ppis[MAX_CPUS];
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

static void add(uint64_t *to) {
    uint64_t value;
    uint32_t failed;
    __asm__ volatile("1: ldaxr %0, [%2]\n\tadd %0, %0, #1\n\tstlxr %w1, %0, [%2]\n\tcbnz %w1, 1b"
                     : "=&r"(value), "=&r"(failed)
                     : "r"(to)
                     : "memory");
}

void on_interrupt(unsigned intid) {
    unsigned cpu = this_cpu();
    if (intid == TIMER_INTID)
        timer_off();
    else if (intid - SPI < SPIS)
        add(&spis[intid - SPI].taken);
    else if (intid < SGIS)
        add(&sgis[intid][cpu].taken);
    else if (intid == PPI)
        add(&ppis[cpu].taken);
    else if (intid == UART_INTID && read32(UARTMIS) & TRANSMITTED) {
        write32(UARTIMSC, 0);
        add(&level.taken);
    }
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

static void route(unsigned cpu, unsigned intid) { write64(GICD_BASE + ROUTE(intid), affinity_of(draw(cpu, cpus))); }
static void switch_off(unsigned intid) { write32(GICD_BASE + DISABLE(intid), BIT(intid)); }
static void switch_on(unsigned intid) { write32(GICD_BASE + ENABLE(intid), BIT(intid)); }
static uint8_t priority(unsigned cpu) { return (uint8_t)(0x80 + 16 * draw(cpu, 6)); }

static void change(unsigned cpu, unsigned intid) {
    for (unsigned changes = draw(cpu, 4); changes; changes--) {
        switch (draw(cpu, 3)) {
        case 0: route(cpu, intid); break;
        case 1: write8(GICD_BASE + PRIORITY(intid), priority(cpu)); break;
        case 2: switch_off(intid), switch_on(intid); break;
        }
    }
}

static void send_spi(unsigned cpu) {
    unsigned mine = cpu + cpus * draw(cpu, SPIS / cpus), intid = SPI + mine;
    bool off = draw(cpu, 4) == 0;
    route(cpu, intid);
    if (off) switch_off(intid);
    spis[mine].sent++;
    dsb();
    write32(GICD_BASE + PEND(intid), BIT(intid));
    if (!off) change(cpu, intid);
    switch_on(intid);
    expect(cpu, "an SPI", &spis[mine]);
}

static void raise_level(unsigned cpu) {
    level.sent++;
    route(cpu, UART_INTID);
    dsb();
    write32(UARTIMSC, TRANSMITTED);
    change(cpu, UART_INTID);
    expect(cpu, "the UART's", &level);
}

static void send_sgis(unsigned cpu) {
    unsigned all = (1u << cpus) - 1, list = 1 + draw(cpu, all);
    bool others = draw(cpu, 4) == 0;
    if (others) list = all & ~(1u << cpu);
    for (unsigned to = 0; to < cpus; to++) sgis[cpu][to].sent += list >> to & 1;
    dsb();
    WRITE_REGISTER("s3_0_c12_c11_5", (uint64_t)cpu << 24 | (others ? 1ull << 40 : list)); /* ICC_SGI1R_EL1 */
    isb();
    for (unsigned to = 0; to < cpus; to++) expect(cpu, "an SGI", &sgis[cpu][to]);
}

/* No other sends one to it. */
static void send_ppi(unsigned cpu) {
    unsigned to = (cpu + 1) % cpus;
    uintptr_t frame = REDISTRIBUTOR(to);
    write32(frame + DISABLE(PPI), BIT(PPI));
    ppis[to].sent++;
    dsb();
    write32(frame + PEND(PPI), BIT(PPI));
    write8(frame + PRIORITY(PPI), priority(cpu));
    if (!(read32(frame + PEND(PPI)) & BIT(PPI)) || read32(frame + ENABLE(PPI)) & BIT(PPI)) ppis[to].sent++; /* which never comes */
    write32(frame + ENABLE(PPI), BIT(PPI));
    expect(cpu, "a PPI", &ppis[to]);
}

static void meet(uint64_t *place) {
    add(place);
    while (LOAD(place) < cpus) yield();
}

static void work(unsigned cpu) {
    state[cpu].random = cpu + 1;
    irqc_init_cpu();
    irqc_enable_level(TIMER_INTID);
    irqc_enable(PPI);
    for (unsigned intid = 0; intid < SGIS; intid++) irqc_enable(intid);
    for (unsigned mine = cpu; mine < SPIS; mine += cpus) irqc_enable(SPI + mine);
    meet(&prepared);
    unmask_interrupts();
    for (uint64_t round = 0; round < rounds; round++) {
        switch (draw(cpu, 4)) {
        case 0: send_spi(cpu); break;
        case 1: cpu ? send_spi(cpu) : raise_level(cpu); break;
        case 2: send_sgis(cpu); break;
        case 3: send_ppi(cpu); break;
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
    write32(UARTIMSC, 0);
    irqc_enable_level(UART_INTID);
    cpus = start_secondaries(MAX_CPUS);
    STORE(&started, 1);
    work(0);
    for (uint64_t end = ticks() + ticks_per_second() / 20; ticks() < end;) {
        timer_set(end);
        wfi();
    }
    uint64_t wrong = twice(spis, SPIS) + twice(&level, 1) + twice(sgis[0], SGIS * MAX_CPUS) + twice(ppis, MAX_CPUS), sent = 0;
    for (unsigned cpu = 0; cpu < cpus; cpu++) sent += state[cpu].sent;
    print_line("routes: %u vCPUs, %u waited for", (uint64_t)cpus, sent);
    print_line("routes: %s", wrong ? "FAILED" : "all came once");
    power_off("routes");
}
