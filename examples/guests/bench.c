/*
 * Micro-benchmarks. One line each, for programs: `bench NAME: COUNT UNIT NANOSECONDS ns`. SCALE divides the work: 1 for
 * figures, 50 for a quick look. Nothing is printed while something is measured.
 */
#include "barrier.h"
#include "guest.h"
#include "rate.h"
#include "uart.h"

#define INSTRUCTIONS (2000000000ull / SCALE)
#define COPY_SIZE (4u << 20)
#define COPIES (128 / SCALE + 1)
#define INCREMENTS (8000000 / SCALE)
#define ROUND_TRIPS (10000 / SCALE)
#define RATE_TICKS (ticks_per_second() * 2 / 5 / SCALE)
#define SGI 1

static _Alignas(4096) uint8_t from[COPY_SIZE], to[COPY_SIZE];
static _Alignas(64) uint64_t counter;
static _Alignas(64) uint64_t came[2];
static uint32_t ready;
static unsigned cpus = 1;

#include "bench.h"

static void copy(void) {
    for (unsigned i = 0; i < COPY_SIZE; i += 4096) from[i] = to[i] = (uint8_t)i; /* touch all pages */
    uint64_t start = ticks();
    for (unsigned i = 0; i < COPIES; i++) {
        const uint8_t *source = from;
        uint8_t *target = to;
        uint64_t left = COPY_SIZE / 32;
        COPY(source, target, left);
    }
    report("copy", (uint64_t)COPIES * COPY_SIZE, "bytes", ticks() - start);
}

bool on_exception(struct frame *frame, uint64_t cause, uint64_t address) {
    (void)address;
    return is_own_call(frame, cause);
}

/* Both vCPUs come here; vCPU 0 reports. */
static void increments_together(unsigned cpu) {
    barrier(2);
    uint64_t start = ticks();
    increment(INCREMENTS / 2);
    barrier(2);
    if (cpu) return;
    uint64_t elapsed = ticks() - start;
    if (counter != 2 * INCREMENTS)
        print_line("bench llsc-2: WRONG, %u of %u", counter - INCREMENTS, (uint64_t)INCREMENTS);
    report("llsc-2", INCREMENTS, "increments", elapsed);
}

void on_interrupt(unsigned intid) {
    if (intid != SGI) return;
    unsigned cpu = this_cpu();
    STORE(&came[cpu], came[cpu] + 1);
}

void guest_secondary(unsigned cpu) {
    irqc_init_cpu();
    irqc_enable_level(SGI);
    STORE(&ready, 1);
    increments_together(cpu);
    more_together(cpu);
    for (uint64_t next = 1; next <= ROUND_TRIPS; next++) {
        SLEEP_UNTIL(LOAD(&came[1]) >= next);
        irqc_send(SGI, 0);
    }
    cpu_off();
}

static void sgi_ping_pong(void) {
    uint64_t start = ticks();
    for (uint64_t next = 1; next <= ROUND_TRIPS; next++) {
        irqc_send(SGI, 1);
        SLEEP_UNTIL(LOAD(&came[0]) >= next);
    }
    report("sgi", ROUND_TRIPS, "round-trips", ticks() - start);
}

void guest_main(void) {
    print_line("bench: start");
    irqc_init();
    irqc_init_cpu();
    irqc_enable_level(SGI);
    integer_loop();
    copy();
    RATE("hypercall", "calls", cheapest_call());
    RATE(IRQC_READ, "reads", read_irqc());
    RATE("uart-read", "reads", uart_state());
    RATE("counter-read", "reads", ticks());
    RATE(OWN_CALL, "exceptions", own_call());
    uint64_t start = ticks();
    increment(INCREMENTS);
    report("llsc-1", INCREMENTS, "increments", ticks() - start);
    more_alone();
    cpus = start_secondaries(2);
    if (cpus == 2) {
        while (!LOAD(&ready)) {}
        increments_together(0);
        more_together(0);
        sgi_ping_pong();
    } else {
        print_line("bench: one vCPU, no llsc-2 and sgi");
    }
    power_off("bench");
}
