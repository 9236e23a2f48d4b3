/*
 * CPUs of one VM, or of two that share memory, want the same pages at the same time, in shapes that are hard for an
 * emulator that lets one of them at a time have a page: see the table at the end. What they find there depends on who
 * came first, and all of it, with readings of the counter, goes into a sum that each CPU prints: two runs with one sum
 * went the same way.
 */
#include "code.h"
#include "guest.h"
#include "joint.h"
#include "parameters.h"
#include "uart.h"

#define PAGE 4096u
#define MAPPED 0x300000000ull /* 12 GiB: entry 12 of the first-level table */
#define PATCHED MAX_CPUS

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

static struct area second_level, third_level, mapped[2];
static struct arena own;
static struct arena *arena;
static uint64_t shape, rounds = 300, seed = 1, pace = 100;
static uint32_t begun, generation, patched;
static uint64_t random_state[MAX_CPUS * 8];

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

#include "contend.h"

/* In all, none may be lost. */
static void atomics(unsigned cpu, uint64_t round) {
    uint64_t *added = arena->added;
    for (unsigned n = 0; n < 8; n++) {
        if (HAS_AMO && (round + n) & 1) {
            mix(cpu, add_amo(added));
        } else {
            add_exclusive(added);
            add_exclusive(added + 1);
        }
        add_pair(added + 2);
        arena->sum[cpu].words[3]++;
    }
    mix(cpu, LOAD(added));
}

static void write_function(unsigned of, uint32_t answer, bool all) {
    volatile uint32_t *at = (uint32_t *)arena->code[of].words;
    write_answer(at, answer);
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
    see_code();
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
    FORGET(MAPPED);
    *entry = page_descriptor(&mapped[next / 2 & 1]);
    publish_entry();
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
    loads_before_loads();
    if (LOAD(&generation) == before && !(before & 1) && value != (before / 2 & 1)) wrong(cpu);
    mix(cpu, value);
    mix(cpu, before);
}

static void translations(unsigned cpu, uint64_t round) {
    if (cpu == 0) change_mapping();
    third_level.words[1 + cpu] = round << 2;
    uint64_t address = MAPPED + (round & 3) * PAGE;
    translate(cpu, address);
}

static void zeroing(unsigned cpu, uint64_t round) {
    uint64_t block = zero_block();
    uint64_t *words = another(arena->areas, cpu)->words;
    char *at = (char *)words + random_below(PAGE / block) * block;
    mix(cpu, *(volatile uint64_t *)at);
    zero(at);
    for (unsigned n = 0; n < 8; n++) *(volatile uint64_t *)&words[random_below(512)] = round;
    mix(cpu, *(volatile uint64_t *)at);
}

/* Letters of all without an order, and lines that take turns. */
static void printing(unsigned cpu, uint64_t round) {
    for (unsigned n = 0; n < 3; n++) {
        mix(cpu, uart_state());
        uart_send('a' + cpu);
    }
    if (round % 16) return;
    unsigned cpus = joint_cpus();
    while (LOAD(&arena->turn) % cpus != cpu) yield();
    uart_send('\n');
    STORE(&arena->turn, arena->turn + 1);
}

static void everything(unsigned cpu, uint64_t round);

static const struct {
    const char *name;
    void (*step)(unsigned cpu, uint64_t round);
} shapes[] = {
    {"loads", loads},               /* straight lines of 900 instructions */
    {"vectors", vectors},           /* blocks that end where the translator's buffer is full; on RISC-V atomics */
    {"across", across},             /* pairs and unaligned accesses over two pages */
    {"atomics", atomics},           /* LL/SC, and LSE where there is any */
    {"code-and-data", code_and_data}, /* in one page */
    {"patching", patching},         /* code that others run */
    {"tables", tables},             /* translations that others use */
    {"translations", translations}, /* AT or loads, whose walk reads a page that is written to */
    {"zeroing", zeroing},           /* DC ZVA, CBO.ZERO */
    {"printing", printing},         /* on one UART */
    {"everything", everything},     /* any of these, but printing */
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void everything(unsigned cpu, uint64_t round) { shapes[random_below(SHAPES - 2)].step(cpu, round); }

/* A translation that CPU 0 has broken; it makes another one soon. */
bool on_exception(struct frame *frame, uint64_t cause, uint64_t address) {
    if (IS_ANOTHER(cause, address)) return false;
    PASS_OVER(frame, address);
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
    prepare();
    mapped[1].words[0] = 1;
    second_level.words[0] = table_descriptor(&third_level);
    translation_table[MAPPED >> 30] = table_descriptor(&second_level);
    third_level.words[0] = page_descriptor(&mapped[0]);
    publish_tables();
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
