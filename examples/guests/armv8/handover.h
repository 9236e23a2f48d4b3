/* Of handover.c: the counters, CNTVCT_EL0 and CNTPCT_EL0, each read behind an ISB. */

#define GICR_PRIORITY(cpu) (GICR_BASE + 0x20000 * (uintptr_t)(cpu) + 0x10400)
#define ISTATUS 4

static struct counters now(void) {
    isb();
    uint64_t virtual = READ_REGISTER("cntvct_el0");
    return (struct counters){virtual, READ_REGISTER("cntpct_el0")};
}

static bool try_lock(uint32_t *lock) {
    uint32_t was, failed = 0;
    if (way == LSE)
        __asm__ volatile(".arch_extension lse\n\tmov %w0, wzr\n\tcasa %w0, %w2, [%1]"
                         : "=&r"(was)
                         : "r"(lock), "r"(1)
                         : "memory");
    else
        __asm__ volatile("ldaxr %w0, [%2]\n\tcbnz %w0, 1f\n\tstxr %w1, %w3, [%2]\n1:"
                         : "=&r"(was), "+&r"(failed)
                         : "r"(lock), "r"(1)
                         : "memory");
    return !was && !failed;
}

static void unlock(uint32_t *lock) {
    if (way == LSE)
        __asm__ volatile(".arch_extension lse\n\tswpl wzr, w9, [%0]" : : "r"(lock) : "w9", "memory");
    else
        STORE(lock, 0);
}

/* Translated as one: where the line stops for the page, it has read the counter and left that in the other page. */
static void give_in_one_block(struct page *page, uint64_t sequence) {
    page->touched = 0;
    __asm__ volatile("isb\n\tmrs x9, cntvct_el0\n\tmrs x10, cntpct_el0\n\tstp x9, x10, [%0, #8]\n\tstlr %1, [%0]\n\t"
                     "ldr x11, [%2]\n\t.rept 300\n\tadd x11, x11, #1\n\t.endr"
                     :
                     : "r"(page), "r"(sequence), "r"(&arena->contested.touched)
                     : "x9", "x10", "x11", "memory");
}

/* A timer that is set and does not interrupt. */
static void timer_set_quietly(uint64_t deadline) {
    WRITE_REGISTER("cntv_cval_el0", deadline);
    WRITE_REGISTER("cntv_ctl_el0", 3);
    isb();
}
static bool timer_has_fired(void) { return READ_REGISTER("cntv_ctl_el0") & ISTATUS; }
static void timer_end_quietly(void) { timer_off(); }

/* A register of another vCPU, whose value from 1 to 31 its owner looks at: the priority of an SGI that nobody enables. */
#define TELL_BY_REGISTER(cpu, value) write8(GICR_PRIORITY(cpu) + QUIET, (uint8_t)(value) << 3)
#define IS_TOLD(value) ((read32(GICR_PRIORITY(this_cpu()) + QUIET) & 0xff) == (value) << 3)

/* What a vCPU wrote that has its MMU off. */
static void see(struct turned_on *turned_on) { __asm__ volatile("dc civac, %0\n\tdsb ish" : : "r"(turned_on) : "memory"); }

__asm__(".text\n\t.balign 64\n"
        "entry:\tmrs x1, cntvct_el0\n\tmrs x2, mpidr_el1\n\tand x2, x2, #7\n\t"
        "adrp x3, turned_on\n\tadd x3, x3, x2, lsl #12\n\tldr x4, [x3]\n\tadd x4, x4, #1\n\t"
        "subs x5, x0, x1\n\tb.ls 1f\n\t"
        "ldr x6, [x3, #8]\n\tadd x6, x6, #1\n\tstr x6, [x3, #8]\n\t"
        "ldr x6, [x3, #16]\n\tcmp x5, x6\n\tcsel x6, x5, x6, hi\n\tstr x6, [x3, #16]\n"
        /* It goes on for a while, so that its counter may be ahead of CPU 0's. */
        "1:\tand x5, x0, #0xfff\n"
        "2:\tsubs x5, x5, #1\n\tb.hi 2b\n\t"
        "isb\n\tmrs x5, cntvct_el0\n\tstr x5, [x3, #24]\n\tstr x4, [x3]\n\t"
        "mov x0, #2\n\tmovk x0, #0x8400, lsl #16\n\thvc #0\n\tb .");
