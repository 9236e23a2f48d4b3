/* Of straddle.c: a T32 branch at EL0. What is changed is what runs by Arm ARM B2.2.5. */

#define CODE 0xc0000000ull                                    /* 3 GiB: entry 3 of the first-level table */
#define PAGE_DESCRIPTOR (0x403ull | 3 << 8 | 1 << 6 | 1 << 2) /* AF, inner shareable, EL0 too, Normal */
#define TABLE_DESCRIPTOR 3ull
#define T32_EL0 0x1f0                                         /* PSTATE */
#define SVC_AARCH32 0x11u
#define FETCH_ABORT 0x20u

uint64_t enter(uint64_t pc, uint64_t pstate);
extern char enter_vectors[];
extern uint64_t translation_table[64];

static uint64_t pa(const void *pointer) { return (uintptr_t)pointer; }

static void prepare(void) {
    WRITE_REGISTER("vbar_el1", enter_vectors);
    isb();
}

static void synchronise(const void *at, unsigned lines) {
    __asm__ volatile("dc cvau, %0\n\tdsb ish" : : "r"(at) : "memory");
    for (unsigned line = 0; line < lines; line++)
        __asm__ volatile("ic ivau, %0" : : "r"((const char *)at + line * 64) : "memory");
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

/* MOVW R0, #number; SVC #0 */
static void write_targets(void) {
    for (unsigned number = 0; number < TARGETS; number++) {
        uint16_t *at = &code[(FIRST_TARGET + 8 * number) / 2];
        at[0] = 0xf240;
        at[1] = (uint16_t)number;
        at[2] = 0xdf00;
    }
    code[LAST / 2] = 0xf7ff; /* B.W, to less than 4 KiB before it */
    synchronise(code, 64);
}

/* The second half of the branch. */
static void aim(uint16_t *page, unsigned number) {
    *(volatile uint16_t *)page = (uint16_t)(0xb800 | ((FIRST_TARGET + 8 * number - (LAST + 4)) >> 1 & 0x7ff));
    synchronise(page, 1);
}

/* What it is aimed at, or TARGETS: it is not there. */
static unsigned run(void) {
    uint64_t found = enter(CODE + LAST, T32_EL0);
    unsigned class = (unsigned)(READ_REGISTER("esr_el1") >> 26);
    if (class == SVC_AARCH32) return (unsigned)found;
    if (class == FETCH_ABORT) return TARGETS;
    print_line("straddle: ESR %x, ELR %x", READ_REGISTER("esr_el1"), READ_REGISTER("elr_el1"));
    power_off("straddle");
}

static void map(const uint16_t *page) {
    *(volatile uint64_t *)&third_level[1] = page ? pa(page) | PAGE_DESCRIPTOR : 0;
    __asm__ volatile("dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" : : "r"((CODE >> 12) + 1) : "memory");
}

static void map_code(void) {
    second_level[0] = pa(third_level) | TABLE_DESCRIPTOR;
    third_level[0] = pa(code) | PAGE_DESCRIPTOR;
    translation_table[CODE >> 30] = pa(second_level) | TABLE_DESCRIPTOR;
    __asm__ volatile("dsb ish\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
}
