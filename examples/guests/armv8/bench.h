/* Of bench.c */

/* Exactly ten instructions an iteration. */
static void integer_loop(void) {
    uint64_t left = INSTRUCTIONS / 10, start = ticks();
    __asm__ volatile(
        "1: add x9, x9, #3\n\t"
        "eor x10, x10, x9\n\t"
        "lsr x11, x9, #7\n\t"
        "add x12, x11, x10\n\t"
        "sub x13, x12, x9\n\t"
        "orr x14, x13, x11\n\t"
        "and x15, x14, x12\n\t"
        "add x10, x10, x15\n\t"
        "subs %0, %0, #1\n\t"
        "b.ne 1b"
        : "+r"(left)
        :
        : "x9", "x10", "x11", "x12", "x13", "x14", "x15", "cc");
    report("int-loop", INSTRUCTIONS, "insns", ticks() - start);
}

static void increment(uint64_t times) {
    while (times--) {
        uint64_t value;
        uint32_t failed;
        __asm__ volatile("1: ldxr %0, [%2]\n\tadd %0, %0, #1\n\tstxr %w1, %0, [%2]\n\tcbnz %w1, 1b"
                         : "=&r"(value), "=&r"(failed)
                         : "r"(&counter)
                         : "memory");
    }
}

/* 32 bytes a turn. */
#define COPY(source, target, left) \
    __asm__ volatile(                                 \
        "1: ldp x9, x10, [%0], #16\n\t"               \
        "ldp x11, x12, [%0], #16\n\t"                 \
        "stp x9, x10, [%1], #16\n\t"                  \
        "stp x11, x12, [%1], #16\n\t"                 \
        "subs %2, %2, #1\n\t"                         \
        "b.ne 1b"                                     \
        : "+r"(source), "+r"(target), "+r"(left)      \
        :                                             \
        : "x9", "x10", "x11", "x12", "cc", "memory")

#define IRQC_READ "gicd-read"
#define OWN_CALL "svc"
static inline uint32_t read_irqc(void) { return read32(GICD_BASE); }

/* What else there is to measure, by one vCPU and by two. */
static inline void more_alone(void) {}
static inline void more_together(unsigned cpu) { (void)cpu; }
