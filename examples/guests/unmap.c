/*
 * Break before make. All vCPUs store to a page without end; one after the other takes its mapping away, and once the TLB
 * maintenance has completed with the DSB the page is its own: no store by the old translation may land any more (Arm ARM
 * D8.13.5). Then it maps another page there. Stores are of EL1 and, by STTR, of EL0; one reaches into the next page. Of pages
 * that nobody writes to another is mapped at the same time; who has seen that this is done must not read one from before.
 * Between TLBI and DSB comes what completes nothing, or leaves the guest: the DSB has the same to wait for then.
 */
#include "guest.h"
#include "parameters.h"

#define MAPPED 0x300000000ull /* 12 GiB: entry 12 of the first-level table */
#define PAGE_DESCRIPTOR (0x403ull | 3 << 8 | 1 << 6 | 1 << 2 | 1ull << 11) /* AF, inner shareable, EL0 too, Normal, not global */
#define TABLE_DESCRIPTOR 3ull
#define UNDEFINED 0u
#define SVC 0x15u
#define DATA_ABORT 0x25u
#define LINE 32 /* words a vCPU */
#define CANARY 0xc0ffee0000000000ull
#define LOOKS 200
#define CONSTANTS 8u
#define READ (MAPPED + 0x4000)
#define NOT_MAPPED (MAPPED + 0x8000)

extern uint64_t translation_table[64];
static _Alignas(4096) uint64_t second_level[512], third_level[512];
static _Alignas(4096) uint64_t pages[3][512]; /* two that are mapped in turn, and what is behind either */
static _Alignas(4096) uint64_t constants[CONSTANTS][512]; /* each with its number */
static struct {
    _Alignas(64) uint64_t stored, faults, lost[6], looks, stale;
} state[MAX_CPUS];
static uint64_t rounds = 300;
static uint32_t started, turn;
static struct {
    _Alignas(4096) uint32_t round, unused; /* nobody reads the constant of an earlier round any more */
    char rest[4088];
} gone;
static unsigned cpus;

static uint64_t pa(const void *pointer) { return (uintptr_t)pointer; }

bool on_exception(struct frame *frame, uint64_t esr, uint64_t far) {
    if (esr >> 26 == SVC) return true;
    bool aborted = esr >> 26 == DATA_ABORT && far - MAPPED <= NOT_MAPPED - MAPPED;
    if (!aborted && esr >> 26 != UNDEFINED) return false;
    state[this_cpu()].faults += aborted;
    frame->elr += 4;
    return true;
}

#define BETWEEN 10u

static void between(unsigned what) {
    uint64_t scratch;
    switch (what) {
    case 0: break;
    case 1: __asm__ volatile("dsb nsh" : : : "memory"); break;
    case 2: __asm__ volatile("dsb ishst\n\tdsb ishld\n\tdmb sy\n\tisb" : : : "memory"); break;
    case 3: __asm__ volatile("svc #0" : : : "memory"); break;
    case 4: __asm__ volatile("udf #0" : : : "memory"); break;
    case 5: hvc(PSCI_VERSION, 0, 0, 0); break;
    case 6: __asm__ volatile("sev\n\twfe" : : : "memory"); break;
    case 7: read32(GICD_BASE); break;
    case 8: (void)*(volatile uint64_t *)NOT_MAPPED; break;
    case 9: /* WFI, which the timer ends, and an exception return */
        timer_set(0);
        __asm__ volatile("wfi\n\tmov %0, #0x3c5\n\tmsr spsr_el1, %0\n\tadr %0, 1f\n\tmsr elr_el1, %0\n\teret\n1:"
                         : "=&r"(scratch) : : "memory");
        timer_off();
        break;
    }
}

#define COMPLETE(op, barrier)                                                                                                  \
    __asm__ volatile("dsb ishst\n\ttlbi " op "\n\tmov %0, %1\n\ttlbi " op : "+&r"(page) : "r"(READ >> 12) : "memory"); \
    between(what);                                                                                                             \
    __asm__ volatile(barrier "\n\tisb" : : : "memory")

static void invalidate(unsigned kind, unsigned barrier, unsigned what) {
    uint64_t page = MAPPED >> 12;
    switch (kind * 3 + barrier) {
#define OPERATION(number, op)                                   \
    case number * 3: COMPLETE(op, "dsb ish"); break;            \
    case number * 3 + 1: COMPLETE(op, "dsb sy"); break;         \
    case number * 3 + 2: COMPLETE(op, "dsb osh"); break;
        OPERATION(0, "vae1is, %0")
        OPERATION(1, "vale1is, %0")
        OPERATION(2, "vaae1is, %0")
        OPERATION(3, "vaale1is, %0")
        OPERATION(4, "aside1is, xzr")
        OPERATION(5, "vmalle1is")
    }
}

static void store(unsigned cpu, uint64_t value) {
    uint64_t at = MAPPED + cpu * LINE * 8;
    switch (value % 5) {
    case 0: __asm__ volatile("str %0, [%1]" : : "r"(value), "r"(at) : "memory"); break;
    case 1: __asm__ volatile("sttr %0, [%1]" : : "r"(value), "r"(at) : "memory"); break;
    case 2: __asm__ volatile("stp %0, %0, [%1]" : : "r"(value), "r"(at) : "memory"); break;
    case 3: __asm__ volatile("dc zva, %0" : : "r"(at) : "memory"); break;
    case 4: __asm__ volatile("str %0, [%1]" : : "r"(value), "r"(MAPPED + 4092) : "memory"); break;
    }
    state[cpu].stored++;
}

/*
 * What is read is of no mapping that had gone, nor of one that comes later. The acquire alone orders the load behind it, in the
 * same block of whoever translates code: a translation needs no ISB to be gone.
 */
#define LOOK(load) \
    __asm__ volatile("ldar %w0, [%2]\n\t" load " %1, [%3]" : "=&r"(before), "+&r"(found) : "r"(&gone.round), "r"(READ) : "memory")

static void look(unsigned cpu) {
    uint32_t before;
    uint64_t found = CONSTANTS;
    if (state[cpu].looks & 1)
        LOOK("ldtr");
    else
        LOOK("ldr");
    uint32_t after = LOAD(&gone.round);
    state[cpu].looks++;
    if (found < CONSTANTS && after - before < CONSTANTS - 1 && (found - before) % CONSTANTS > after - before) state[cpu].stale++;
}

static bool is_kept(const volatile uint64_t *page) {
    for (unsigned n = 0; n < MAX_CPUS; n++)
        if (page[n * LINE] != (CANARY | n)) return false;
    return page[511] == CANARY;
}

/* The page is nobody else's now. */
static void take(unsigned cpu, uint32_t round) {
    volatile uint64_t *page = pages[round % 2];
    unsigned kind = round / cpus % 6;
    *(volatile uint64_t *)&third_level[0] = 0;
    *(volatile uint64_t *)&third_level[4] = 0;
    *(volatile uint32_t *)&gone.unused = round; /* the others wait for it while this goes on */
    invalidate(kind, round / cpus / 6 % 3, round / cpus % BETWEEN);
    STORE(&gone.round, round + 1);
    for (unsigned n = 0; n < MAX_CPUS; n++) page[n * LINE] = CANARY | n;
    page[511] = CANARY;
    bool kept = true;
    for (unsigned look = 0; look < LOOKS; look++) kept &= is_kept(page);
    if (!kept) state[cpu].lost[kind]++;
    *(volatile uint64_t *)&third_level[0] = pa(pages[(round + 1) % 2]) | PAGE_DESCRIPTOR;
    *(volatile uint64_t *)&third_level[4] = pa(constants[(round + 1) % CONSTANTS]) | PAGE_DESCRIPTOR;
    __asm__ volatile("dsb ishst\n\tisb" : : : "memory");
}

static void work(unsigned cpu) {
    irqc_init_cpu();
    irqc_enable_level(TIMER_INTID);
    uint32_t round;
    for (uint64_t value = 0; (round = LOAD(&turn)) < rounds * cpus; value++) {
        if (round % cpus == cpu && value > 20) {
            take(cpu, round);
            STORE(&turn, round + 1);
            value = 0;
        }
        for (unsigned n = 0; n < 25; n++) {
            look(cpu);
            if (value % 4 == 0) store(cpu, value / 4 * 25 + n);
        }
    }
}

void guest_secondary(unsigned cpu) {
    while (!LOAD(&started)) yield();
    work(cpu);
    cpu_off();
}

void guest_main(void) {
    const struct parameter known[] = {{"rounds", &rounds}};
    parameters_read("unmap", known, 1);
    second_level[0] = pa(third_level) | TABLE_DESCRIPTOR;
    for (unsigned n = 0; n < CONSTANTS; n++) constants[n][0] = n;
    third_level[4] = pa(constants[0]) | PAGE_DESCRIPTOR;
    third_level[0] = pa(pages[0]) | PAGE_DESCRIPTOR;
    third_level[1] = pa(pages[2]) | PAGE_DESCRIPTOR;
    translation_table[MAPPED >> 30] = pa(second_level) | TABLE_DESCRIPTOR;
    dsb();
    isb();
    irqc_init();
    cpus = start_secondaries(MAX_CPUS);
    print_line("unmap: %u vCPUs, %u rounds", (uint64_t)cpus, rounds);
    STORE(&started, 1);
    work(0);
    uint64_t lost = 0;
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        uint64_t *of = state[cpu].lost;
        print_line("unmap: vCPU %u: %u stores, %u faults; pages that changed: VA %u, VAL %u, VAA %u, VAAL %u, ASID %u, all %u",
                   (uint64_t)cpu, state[cpu].stored, state[cpu].faults, of[0], of[1], of[2], of[3], of[4], of[5]);
        print_line("unmap: vCPU %u: %u loads, %u stale", (uint64_t)cpu, state[cpu].looks, state[cpu].stale);
        for (unsigned kind = 0; kind < 6; kind++) lost += of[kind];
        lost += state[cpu].stale;
    }
    print_line("unmap: %s", lost ? "FAILED" : "all kept");
    power_off("unmap");
}
