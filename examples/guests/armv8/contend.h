/* Of contend.c */
#include "tables.h"

static bool has_lse;
#define HAS_AMO has_lse

static void prepare(void) { has_lse = READ_REGISTER("id_aa64isar0_el1") >> 20 & 15; }

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
static uint64_t add_amo(uint64_t *to) {
    uint64_t was, seen, next;
    __asm__ volatile(".arch_extension lse\n\tldaddal %1, %0, [%2]" : "=r"(was) : "r"(1ull), "r"(to) : "memory");
    do {
        seen = LOAD(to + 1), next = seen + 1, was = seen;
        __asm__ volatile(".arch_extension lse\n\tcasal %0, %2, [%1]" : "+r"(seen) : "r"(to + 1), "r"(next) : "memory");
    } while (seen != was);
    __asm__ volatile(".arch_extension lse\n\tswp %1, %0, [%2]" : "=r"(was) : "r"(seen), "r"(to + 8) : "memory");
    return was;
}

static void synchronise(uint32_t *at, bool all) {
    __asm__ volatile("dc cvau, %0\n\tdsb ish" : : "r"(at) : "memory");
    if (all)
        __asm__ volatile("ic ialluis" : : : "memory");
    else
        __asm__ volatile("ic ivau, %0" : : "r"(at) : "memory");
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

static void see_code(void) { isb(); }

#define FORGET(page) \
    __asm__ volatile("dsb ishst\n\ttlbi vae1is, %0\n\tdsb ish\n\tisb" : : "r"((page) >> 12) : "memory")
static void publish_entry(void) { __asm__ volatile("dsb ishst\n\tisb" : : : "memory"); }
static void loads_before_loads(void) { __asm__ volatile("dmb ish" : : : "memory"); }

static void translate(unsigned cpu, uint64_t address) {
    __asm__ volatile("at s1e1r, %0\n\tisb" : : "r"(address) : "memory");
    mix(cpu, READ_REGISTER("par_el1"));
    __asm__ volatile("at s1e0w, %0\n\tisb" : : "r"(address) : "memory");
    mix(cpu, READ_REGISTER("par_el1"));
}

static uint64_t zero_block(void) { return 4u << (READ_REGISTER("dczid_el0") & 15); }
static void zero(char *at) { __asm__ volatile("dc zva, %0" : : "r"(at) : "memory"); }

/* Whether an exception is for something else than a page that is not mapped. */
#define IS_ANOTHER(esr, far) (esr >> 26 != 0x25 || far != MAPPED)
#define PASS_OVER(frame, far) ((void)frame)
