/* Of bench.c */
#include "irqc.h"

/* Exactly ten instructions an iteration. */
static void integer_loop(void) {
    uint64_t left = INSTRUCTIONS / 10, start = ticks();
    __asm__ volatile(
        "1: addi t0, t0, 3\n\t"
        "xor t1, t1, t0\n\t"
        "srli t2, t0, 7\n\t"
        "add t3, t2, t1\n\t"
        "sub t4, t3, t0\n\t"
        "or t5, t4, t2\n\t"
        "and t6, t5, t3\n\t"
        "add t1, t1, t6\n\t"
        "addi %0, %0, -1\n\t"
        "bnez %0, 1b"
        : "+r"(left)
        :
        : "t0", "t1", "t2", "t3", "t4", "t5", "t6");
    report("int-loop", INSTRUCTIONS, "insns", ticks() - start);
}

/* 32 bytes a turn. */
#define COPY(source, target, left)                                \
    __asm__ volatile(                                             \
        "1: ld t0, 0(%0)\n\t"                                     \
        "ld t1, 8(%0)\n\t"                                        \
        "ld t2, 16(%0)\n\t"                                       \
        "ld t3, 24(%0)\n\t"                                       \
        "sd t0, 0(%1)\n\t"                                        \
        "sd t1, 8(%1)\n\t"                                        \
        "sd t2, 16(%1)\n\t"                                       \
        "sd t3, 24(%1)\n\t"                                       \
        "addi %0, %0, 32\n\t"                                     \
        "addi %1, %1, 32\n\t"                                     \
        "addi %2, %2, -1\n\t"                                     \
        "bnez %2, 1b"                                             \
        : "+r"(source), "+r"(target), "+r"(left)                  \
        :                                                         \
        : "t0", "t1", "t2", "t3", "memory")

static void increment(uint64_t times) {
    while (times--) {
        uint64_t value, failed;
        __asm__ volatile("1: lr.d %0, (%2)\n\taddi %0, %0, 1\n\tsc.d %1, %0, (%2)\n\tbnez %1, 1b"
                         : "=&r"(value), "=&r"(failed)
                         : "r"(&counter)
                         : "memory");
    }
}

static _Alignas(64) uint64_t added;

static void add(uint64_t times) {
    while (times--) __asm__ volatile("amoadd.d zero, %0, (%1)" : : "r"(1ull), "r"(&added) : "memory");
}

static void more_alone(void) {
    uint64_t start = ticks();
    add(INCREMENTS);
    report("amo-1", INCREMENTS, "increments", ticks() - start);
}

static void more_together(unsigned cpu) {
    barrier(2);
    uint64_t start = ticks();
    add(INCREMENTS / 2);
    barrier(2);
    if (cpu) return;
    uint64_t elapsed = ticks() - start;
    if (added != 2 * INCREMENTS) print_line("bench amo-2: WRONG, %u of %u", added - INCREMENTS, (uint64_t)INCREMENTS);
    report("amo-2", INCREMENTS, "increments", elapsed);
}

#define IRQC_READ (controller == PLIC ? "plic-read" : "aplic-read")
#define OWN_CALL "ebreak"
static inline uint32_t read_irqc(void) { return read32(controller == PLIC ? PLIC_BASE + 4 : APLIC_BASE); }
