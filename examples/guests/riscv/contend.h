/* Of contend.c */
#include "tables.h"

#define HAS_AMO 1

static void prepare(void) {}

static void add_exclusive(uint64_t *to) {
    uint64_t value, failed;
    __asm__ volatile("1: lr.d %0, (%2)\n\taddi %0, %0, 1\n\tsc.d %1, %0, (%2)\n\tbnez %1, 1b"
                     : "=&r"(value), "=&r"(failed)
                     : "r"(to)
                     : "memory");
}
/* Two that are beside each other, as words the first time: neither comes near 2^32. */
static void add_pair(uint64_t *to) {
    uint64_t value, failed;
    __asm__ volatile("1: lr.w.aq %0, (%2)\n\taddi %0, %0, 1\n\tsc.w.rl %1, %0, (%2)\n\tbnez %1, 1b"
                     : "=&r"(value), "=&r"(failed)
                     : "r"(to)
                     : "memory");
    add_exclusive(to + 1);
}
static uint64_t add_amo(uint64_t *to) {
    uint64_t was, seen;
    __asm__ volatile("amoadd.d.aqrl %0, %1, (%2)" : "=r"(was) : "r"(1ull), "r"(to) : "memory");
    __asm__ volatile("amoadd.w %0, %1, (%2)" : "=r"(seen) : "r"(1ull), "r"(to + 1) : "memory");
    __asm__ volatile("amoswap.d %0, %1, (%2)" : "=r"(was) : "r"(seen), "r"(to + 8) : "memory");
    __asm__ volatile("amomaxu.d zero, %0, (%1)" : : "r"(was), "r"(to + 9) : "memory");
    return was;
}

/* Who runs the code has a FENCE.I of its own; `all` do without, too. */
static void synchronise(uint32_t *at, bool all) {
    (void)at;
    if (all)
        publish_code();
    else
        publish_code_here();
}

static void see_code(void) { publish_code_here(); }

#define FORGET(page) forget_page(page)
static void publish_entry(void) { publish_tables(); }
static void loads_before_loads(void) { __asm__ volatile("fence r, r" : : : "memory"); }

/* A load, by a walk of its own; where nothing is mapped, an exception. */
static void translate(unsigned cpu, uint64_t address) {
    __asm__ volatile("sfence.vma %0, zero" : : "r"(address) : "memory");
    uint64_t before = arena->sum[cpu].words[2];
    mix(cpu, *(volatile uint64_t *)address);
    mix(cpu, arena->sum[cpu].words[2] - before);
}

#define ZERO_BLOCK 64
static uint64_t zero_block(void) { return ZERO_BLOCK; }
static void zero(char *at) {
    if (has_zicboz)
        __asm__ volatile(".insn i 0x0f, 2, x0, %0, 4" : : "r"(at) : "memory"); /* cbo.zero */
    else
        for (unsigned n = 0; n < ZERO_BLOCK / 8; n++) ((volatile uint64_t *)at)[n] = 0;
}

#define LOAD_PAGE_FAULT 13
/* Whether an exception is for something else than a page that is not mapped. */
#define IS_ANOTHER(cause, address) (cause != LOAD_PAGE_FAULT || address - MAPPED >= 4 * PAGE)
/* It is tried again until there is one, but where there never is. */
#define PASS_OVER(frame, address) ((address) == MAPPED ? (void)0 : skip_instruction(frame))
