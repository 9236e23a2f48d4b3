/*
 * What one vCPU changes in translation tables and in code, the others see once the maintenance that the architecture
 * broadcasts (TLBI ..IS, IC IVAU) has completed with the DSB. Needs 2 vCPUs or more: vCPU 0 changes, the others look.
 */
#include "barrier.h"
#include "guest.h"

#define ROUNDS 200
#define MAPPED 0x300000000ull /* 12 GiB: entry 12 of the first-level table */
#define PAGE_DESCRIPTOR 0x403ull | 3 << 8 | 1 << 2 | 1ull << 11 /* page, AF, inner shareable, Normal, not global */
#define TABLE_DESCRIPTOR 3ull
#define MOV_W0 0x52800000u /* movz w0, #imm16 */
#define RET 0xd65f03c0u

extern uint64_t translation_table[64];
static _Alignas(4096) uint64_t second_level[512], third_level[512];
static _Alignas(4096) uint64_t pages[2][512];
static _Alignas(4096) uint32_t code[1024];
static uint64_t stale_pages[MAX_CPUS], stale_code[MAX_CPUS];
static unsigned cpus;
static uint32_t started;

static uint64_t pa(const void *pointer) { return (uintptr_t)pointer; }

static void map(unsigned page) {
    *(volatile uint64_t *)&third_level[0] = 0; /* break before make */
    __asm__ volatile("dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" : : "r"(MAPPED >> 12) : "memory");
    *(volatile uint64_t *)&third_level[0] = pa(pages[page]) | PAGE_DESCRIPTOR;
    __asm__ volatile("dsb ishst\n\tisb" : : : "memory");
}

static void write_code(uint32_t value) {
    *(volatile uint32_t *)&code[0] = MOV_W0 | value << 5;
    *(volatile uint32_t *)&code[1] = RET;
    __asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" : : "r"(code) : "memory");
}

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
    second_level[0] = pa(third_level) | TABLE_DESCRIPTOR;
    translation_table[MAPPED >> 30] = pa(second_level) | TABLE_DESCRIPTOR;
    dsb();
    isb();
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
