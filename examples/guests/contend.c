/*
 * CPUs of one VM, or of two that share memory, want the same pages at the same time, in shapes that are hard for an
 * emulator that lets one of them at a time have a page: see the table at the end. What they find there depends on who
 * came first, and all of it, with readings of the counter, goes into a sum that each CPU prints: two runs with one sum
 * went the same way.
 */
#include "guest.h"
#include "joint.h"
#include "parameters.h"

#define PAGE 4096u
#define MAPPED 0x300000000ull /* 12 GiB: entry 12 of the first-level table */
#define PAGE_DESCRIPTOR (0x403ull | 3 << 8 | 1 << 2 | 1ull << 11) /* page, AF, inner shareable, Normal, not global */
#define TABLE_DESCRIPTOR 3ull
#define MOV_W0 0x52800000u /* movz w0, #imm16 */
#define RET 0xd65f03c0u
#define PATCHED MAX_CPUS
#define UARTDR 0x00
#define UARTFR 0x18

typedef uint64_t line(const uint64_t *wanted, uint64_t *kept, uint64_t *sum);
line line_of_loads, line_of_vectors, line_of_late_vectors;
uint64_t across_pages(void *edge, uint64_t value);

struct area {
    _Alignas(4096) uint64_t words[512];
};
struct arena {
    struct joint joint;
    struct area areas[MAX_CPUS + 1];
    struct area scratch[MAX_CPUS];
    struct area code[MAX_CPUS + 1]; /* each CPU's own, and one that is patched */
    struct area sum[MAX_CPUS]; /* 0: the sum; 1: what is wrong; 2: faults; 3: what was added to `added` */
    _Alignas(4096) uint64_t added[4];
    _Alignas(4096) uint32_t turn;
};

extern uint64_t translation_table[64];
static struct area second_level, third_level, mapped[2];
static struct arena own;
static struct arena *arena;
static uint64_t shape, rounds = 300, seed = 1, pace = 100;
static uint32_t begun, generation, patched;
static uint64_t random_state[MAX_CPUS * 8];
static bool has_lse;

static uint64_t random_below(uint64_t bound) {
    uint64_t *state = &random_state[this_cpu() * 8], x = *state;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    *state = x;
    return bound ? (x >> 11) % bound : 0;
}

static void mix(unsigned cpu, uint64_t value) {
    uint64_t *sum = &arena->sum[cpu].words[0];
    *sum = (*sum ^ value) * 0x100000001b3ull;
}

static void wrong(unsigned cpu) { arena->sum[cpu].words[1]++; }
static struct area *another(struct area *areas, unsigned cpu) {
    unsigned cpus = joint_cpus();
    return &areas[(cpu + 1 + random_below(cpus - 1)) % cpus];
}

static void draw_line(unsigned cpu, line *drawn) {
    uint64_t *scratch = arena->scratch[cpu].words;
    mix(cpu, drawn(another(arena->areas, cpu)->words, arena->areas[cpu].words, scratch));
    mix(cpu, scratch[0]);
}
static void loads(unsigned cpu, uint64_t round) {
    draw_line(cpu, line_of_loads);
    arena->areas[cpu].words[128] = round;
}
static void vectors(unsigned cpu, uint64_t round) {
    draw_line(cpu, round & 1 ? line_of_vectors : line_of_late_vectors);
}

/* Each edge is between pages of two CPUs. */
static void across(unsigned cpu, uint64_t round) {
    unsigned edge = 1 + (unsigned)random_below(joint_cpus());
    mix(cpu, across_pages(&arena->areas[edge], round));
    arena->areas[cpu].words[round % 512] = round;
}

static void add_exclusive(uint64_t *to) {
    uint64_t value;
    uint32_t failed;
    __asm__ volatile("1: ldxr %0, [%2]\n\tadd %0, %0, #1\n\tstxr %w1, %0, [%2]\n\tcbnz %w1, 1b"
                     : "=&r"(value), "=&r"(failed)
                     : "r"(to)
                     : "memory");
}
static void add_pair(uint64_t *to) {
    uint64_t low, high;
    uint32_t failed;
    __asm__ volatile("1: ldaxp %0, %1, [%3]\n\tadd %0, %0, #1\n\tadd %1, %1, #1\n\t"
                     "stlxp %w2, %0, %1, [%3]\n\tcbnz %w2, 1b"
                     : "=&r"(low), "=&r"(high), "=&r"(failed)
                     : "r"(to)
                     : "memory");
}
static uint64_t add_lse(uint64_t *to) {
    uint64_t was, seen, next;
    __asm__ volatile(".arch_extension lse\n\tldaddal %1, %0, [%2]" : "=r"(was) : "r"(1ull), "r"(to) : "memory");
    do {
        seen = LOAD(to + 1), next = seen + 1, was = seen;
        __asm__ volatile(".arch_extension lse\n\tcasal %0, %2, [%1]" : "+r"(seen) : "r"(to + 1), "r"(next) : "memory");
    } while (seen != was);
    __asm__ volatile(".arch_extension lse\n\tswp %1, %0, [%2]" : "=r"(was) : "r"(seen), "r"(to + 8) : "memory");
    return was;
}
/* In all, none may be lost. */
static void atomics(unsigned cpu, uint64_t round) {
    uint64_t *added = arena->added;
    for (unsigned n = 0; n < 8; n++) {
        if (has_lse && (round + n) & 1) {
            mix(cpu, add_lse(added));
        } else {
            add_exclusive(added);
            add_exclusive(added + 1);
        }
        add_pair(added + 2);
        arena->sum[cpu].words[3]++;
    }
    mix(cpu, LOAD(added));
}

static void synchronise(uint32_t *at, bool all) {
    __asm__ volatile("dc cvau, %0\n\tdsb ish" : : "r"(at) : "memory");
    if (all)
        __asm__ volatile("ic ialluis" : : : "memory");
    else
        __asm__ volatile("ic ivau, %0" : : "r"(at) : "memory");
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
}
static void write_function(unsigned of, uint32_t answer, bool all) {
    volatile uint32_t *at = (uint32_t *)arena->code[of].words;
    at[0] = MOV_W0 | answer << 5;
    at[1] = RET;
    synchronise((uint32_t *)at, all);
}
static uint32_t call(unsigned of) {
    uint32_t (*function)(void) = (uint32_t(*)(void))(uintptr_t)arena->code[of].words;
    return function();
}

/* Each runs what is in its page, and stores beside what the others run. */
static void code_and_data(unsigned cpu, uint64_t round) {
    struct area *other = another(arena->code, cpu);
    for (unsigned n = 0; n < 4; n++) {
        if (call(cpu) != cpu) wrong(cpu);
        *(volatile uint64_t *)&other->words[256 + cpu] = round;
        mix(cpu, *(volatile uint64_t *)&arena->code[cpu].words[256 + random_below(MAX_CPUS)]);
    }
    mix(cpu, ticks());
}

/* CPU 0 patches, the others run; what was published when they looked must be there, or something later. */
static void patching(unsigned cpu, uint64_t round) {
    if (cpu == 0) {
        uint32_t next = patched + 1;
        write_function(PATCHED, next & 0xffff, round & 1);
        STORE(&patched, next);
        return;
    }
    uint32_t seen = LOAD(&patched);
    isb();
    uint32_t answer = call(PATCHED);
    if (answer < (seen & 0xffff)) wrong(cpu);
    mix(cpu, answer);
}

/*
 * CPU 0 changes a translation, break before make; what the others meet is the old page, the new one, or a fault. While
 * it does `generation` is odd.
 */
static void change_mapping(void) {
    uint32_t next = generation + 2;
    volatile uint64_t *entry = &third_level.words[0];
    STORE(&generation, next - 1);
    *entry = 0;
    __asm__ volatile("dsb ishst\n\ttlbi vae1is, %0\n\tdsb ish\n\tisb" : : "r"(MAPPED >> 12) : "memory");
    *entry = (uintptr_t)&mapped[next / 2 & 1] | PAGE_DESCRIPTOR;
    __asm__ volatile("dsb ishst\n\tisb" : : : "memory");
    STORE(&generation, next);
}
static void tables(unsigned cpu, uint64_t round) {
    third_level.words[1 + cpu] = round << 2; /* no descriptor, in the page that the others' walks read */
    if (cpu == 0) {
        change_mapping();
        return;
    }
    uint32_t before = LOAD(&generation);
    uint64_t value = *(volatile uint64_t *)MAPPED;
    __asm__ volatile("dmb ish" : : : "memory");
    if (LOAD(&generation) == before && !(before & 1) && value != (before / 2 & 1)) wrong(cpu);
    mix(cpu, value);
    mix(cpu, before);
}

static void translations(unsigned cpu, uint64_t round) {
    if (cpu == 0) change_mapping();
    third_level.words[1 + cpu] = round << 2;
    uint64_t address = MAPPED + (round & 3) * PAGE;
    __asm__ volatile("at s1e1r, %0\n\tisb" : : "r"(address) : "memory");
    mix(cpu, READ_REGISTER("par_el1"));
    __asm__ volatile("at s1e0w, %0\n\tisb" : : "r"(address) : "memory");
    mix(cpu, READ_REGISTER("par_el1"));
}

static void zeroing(unsigned cpu, uint64_t round) {
    uint64_t block = 4u << (READ_REGISTER("dczid_el0") & 15);
    uint64_t *words = another(arena->areas, cpu)->words;
    char *at = (char *)words + random_below(PAGE / block) * block;
    mix(cpu, *(volatile uint64_t *)at);
    __asm__ volatile("dc zva, %0" : : "r"(at) : "memory");
    for (unsigned n = 0; n < 8; n++) *(volatile uint64_t *)&words[random_below(512)] = round;
    mix(cpu, *(volatile uint64_t *)at);
}

/* Letters of all without an order, and lines that take turns. */
static void printing(unsigned cpu, uint64_t round) {
    for (unsigned n = 0; n < 3; n++) {
        mix(cpu, read32(UART_BASE + UARTFR));
        write32(UART_BASE + UARTDR, 'a' + cpu);
    }
    if (round % 16) return;
    unsigned cpus = joint_cpus();
    while (LOAD(&arena->turn) % cpus != cpu) yield();
    write32(UART_BASE + UARTDR, '\n');
    STORE(&arena->turn, arena->turn + 1);
}

static void everything(unsigned cpu, uint64_t round);

static const struct {
    const char *name;
    void (*step)(unsigned cpu, uint64_t round);
} shapes[] = {
    {"loads", loads},               /* straight lines of 900 instructions */
    {"vectors", vectors},           /* blocks that end where the translator's buffer is full */
    {"across", across},             /* pairs and unaligned accesses over two pages */
    {"atomics", atomics},           /* LL/SC, and LSE where there is any */
    {"code-and-data", code_and_data}, /* in one page */
    {"patching", patching},         /* code that others run */
    {"tables", tables},             /* translations that others use */
    {"translations", translations}, /* AT, whose walk reads a page that is written to */
    {"zeroing", zeroing},           /* DC ZVA */
    {"printing", printing},         /* on one UART */
    {"everything", everything},     /* any of these, but printing */
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void everything(unsigned cpu, uint64_t round) { shapes[random_below(SHAPES - 2)].step(cpu, round); }

/* A translation that CPU 0 has broken; it makes another one soon. */
bool on_exception(struct frame *frame, uint64_t esr, uint64_t far) {
    (void)frame;
    if (esr >> 26 != 0x25 || far != MAPPED) return false;
    arena->sum[joint_number()].words[2]++;
    yield();
    return true;
}

void on_interrupt(unsigned intid) {
    if (intid == TIMER_INTID) timer_off();
}

static void go(unsigned cpu) {
    random_state[this_cpu() * 8] = seed * 0x9e3779b97f4a7c15ull + cpu + 1;
    joint_barrier();
    for (uint64_t round = 1; round <= rounds; round++) {
        shapes[shape].step(cpu, round);
        for (uint64_t n = random_below(pace); n; n--) __asm__ volatile("");
    }
    mix(cpu, ticks());
    joint_barrier();
}

void guest_secondary(unsigned cpu) {
    (void)cpu;
    while (!LOAD(&begun)) yield();
    go(joint_number());
    cpu_off();
}

static void tell(void) {
    uint64_t added = 0, all_wrong = 0;
    for (unsigned cpu = 0; cpu < joint_cpus(); cpu++) {
        const uint64_t *words = arena->sum[cpu].words;
        print_line("contend: CPU %u: sum %x, %u faults, %u wrong", (uint64_t)cpu, words[0], words[2], words[1]);
        all_wrong += words[1];
        added += words[3];
    }
    for (unsigned n = 0; n < 4; n++) all_wrong += arena->added[n] != added;
    print_line("contend: %s", all_wrong ? "FAILED" : "as it should be");
}

void guest_main(void) {
    const struct parameter known[] = {
        {"shape", &shape}, {"rounds", &rounds},  {"seed", &seed},
        {"pace", &pace},   {"vms", &joint_vms}, {"side", &joint_side},
    };
    parameters_read("contend", known, sizeof known / sizeof *known);
    has_lse = READ_REGISTER("id_aa64isar0_el1") >> 20 & 15;
    mapped[1].words[0] = 1;
    second_level.words[0] = (uintptr_t)&third_level | TABLE_DESCRIPTOR;
    translation_table[MAPPED >> 30] = (uintptr_t)&second_level | TABLE_DESCRIPTOR;
    third_level.words[0] = (uintptr_t)&mapped[0] | PAGE_DESCRIPTOR;
    dsb();
    isb();
    irqc_init();
    irqc_init_cpu();
    irqc_enable_level(TIMER_INTID);
    if (joint_vms == 2) irqc_enable(IPC_INTID);
    arena = joint_begin(&own, sizeof own, start_secondaries(MAX_CPUS / (unsigned)joint_vms));
    unsigned number = joint_number();
    if (shape >= SHAPES || joint_cpus() < 2) {
        print_line("contend: needs 2 CPUs or more, and a shape that there is");
        power_off("contend");
    }
    for (unsigned of = 0; number == 0 && of <= PATCHED; of++) write_function(of, of == PATCHED ? 0 : of, false);
    if (number == 0)
        print_line("contend: %s, %u CPUs of %u VMs", shapes[shape].name, (uint64_t)joint_cpus(), joint_vms);
    STORE(&begun, 1);
    go(number);
    if (number == 0) tell();
    power_off("contend");
}
