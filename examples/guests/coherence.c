/*
 * What one vCPU changes in translation tables and in code, the others see once the maintenance that reaches all of them has
 * completed: on Armv8 what the architecture broadcasts (TLBI ..IS, IC IVAU), on RISC-V SBI's remote fences. Needs 2 vCPUs or more: vCPU 0 changes, the others look.
 */
#include "barrier.h"
#include "guest.h"

#define ROUNDS 200
#define MAPPED 0x300000000ull /* 12 GiB: entry 12 of the first-level table */

static _Alignas(4096) uint64_t second_level[512], third_level[512];
static _Alignas(4096) uint64_t pages[2][512];
static _Alignas(4096) uint32_t code[1024];
static uint64_t stale_pages[MAX_CPUS], stale_code[MAX_CPUS];
static unsigned cpus;
static uint32_t started;

#include "coherence.h"

static void look(unsigned cpu, uint32_t round) {
    isb();
    if (*(volatile uint64_t *)MAPPED != (round & 1)) stale_pages[cpu]++;
    uint32_t (*function)(void) = (uint32_t(*)(void))(uintptr_t)code;
    if (function() != round) stale_code[cpu]++;
}

static void work(unsigned cpu) {
    for (uint32_t round = 0; round < ROUNDS; round++) {
        if (cpu == 0) {
            map(round & 1);
            write_code(round);
        }
        barrier(cpus);
        look(cpu, round);
        barrier(cpus);
    }
}

void guest_secondary(unsigned cpu) {
    while (!LOAD(&started)) yield();
    work(cpu);
    cpu_off();
}

void guest_main(void) {
    pages[1][0] = 1;
    second_level[0] = table_descriptor(third_level);
    translation_table[MAPPED >> 30] = table_descriptor(second_level);
    publish_tables();
    cpus = start_secondaries(MAX_CPUS);
    print_line("coherence: %u vCPUs, %u rounds", (uint64_t)cpus, (uint64_t)ROUNDS);
    STORE(&started, 1);
    work(0);
    uint64_t stale = 0;
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        print_line("coherence: vCPU %u: %u stale translations, %u stale instructions", (uint64_t)cpu, stale_pages[cpu],
                   stale_code[cpu]);
        stale += stale_pages[cpu] + stale_code[cpu];
    }
    print_line("coherence: %s", stale ? "FAILED" : "all seen");
    power_off("coherence");
}
