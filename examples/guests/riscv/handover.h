/* Of handover.c: there is one counter, which stands for both. */
#include "irqc.h"

static struct counters now(void) {
    uint64_t time = ticks();
    return (struct counters){time, time};
}

static bool try_lock(uint32_t *lock) {
    uint64_t was, failed = 0;
    if (way == LSE)
        __asm__ volatile("amoswap.w.aq %0, %2, (%1)" : "=&r"(was) : "r"(lock), "r"(1) : "memory");
    else
        __asm__ volatile("lr.w.aq %0, (%2)\n\tbnez %0, 1f\n\tsc.w %1, %3, (%2)\n1:"
                         : "=&r"(was), "+&r"(failed)
                         : "r"(lock), "r"(1)
                         : "memory");
    return !was && !failed;
}

static void unlock(uint32_t *lock) {
    if (way == LSE)
        __asm__ volatile("amoswap.w.rl zero, zero, (%0)" : : "r"(lock) : "memory");
    else
        STORE(lock, 0);
}

/* Translated as one, as far as what comes after the counter: where the line stops for the page, it has left that in the other. */
static void give_in_one_block(struct page *page, uint64_t sequence) {
    page->touched = 0;
    __asm__ volatile("rdtime t0\n\tsd t0, 8(%0)\n\tsd t0, 16(%0)\n\tfence rw, w\n\tsd %1, 0(%0)\n\t"
                     "ld t1, 0(%2)\n\t.rept 300\n\taddi t1, t1, 1\n\t.endr"
                     :
                     : "r"(page), "r"(sequence), "r"(&arena->contested.touched)
                     : "t0", "t1", "memory");
}

/* A timer that is set and does not interrupt. One that firmware or a hypervisor has for the guest takes its time to be told of. */
#define LOOKS 10000
static void timer_set_quietly(uint64_t deadline) {
    CLEAR_BITS("sie", 1 << CAUSE_TIMER);
    timer_set(deadline);
}
static bool timer_has_fired(void) {
    bool fired = false;
    for (unsigned looks = has_stimecmp ? 1 : LOOKS; looks && !fired; looks--) fired = READ_REGISTER("sip") >> CAUSE_TIMER & 1;
    return fired;
}
static void timer_end_quietly(void) {
    timer_off();
    SET_BITS("sie", 1 << CAUSE_TIMER);
}

/*
 * A register of the controller for each vCPU, whose value from 1 to 31 its owner looks at: the priority or the target of a source
 * that nobody enables. A priority of hardware has fewer bits, and an APLIC that delivers itself has no message there.
 */
static uintptr_t quiet_register(unsigned cpu) {
    unsigned source = 60 + QUIET + cpu;
    return controller == PLIC ? PLIC_BASE + 4 * source : APLIC_BASE + 0x3000 + 4 * source;
}
static void tell_by_register(unsigned cpu, uint64_t value) {
    if (controller != PLIC) write32(quiet_register(cpu) - 0x3000, 1); /* sourcecfg: else it has no target */
    write32(quiet_register(cpu), (uint32_t)value);
}
#define TELL_BY_REGISTER(cpu, value) tell_by_register(cpu, value)
#define IS_TOLD(value) (read32(quiet_register(this_cpu())) == (value))

static void see(struct turned_on *turned_on) {
    (void)turned_on;
    dsb();
}

/* a0 is the number of the hart, a1 the reading. */
__asm__(".text\n\t.balign 64\n"
        "entry:\trdtime t0\n\tla t1, turned_on\n\tslli t2, a0, 12\n\tadd t1, t1, t2\n\tld t3, 0(t1)\n\taddi t3, t3, 1\n\t"
        "bgeu t0, a1, 1f\n\t"
        "sub t4, a1, t0\n\tld t5, 8(t1)\n\taddi t5, t5, 1\n\tsd t5, 8(t1)\n\t"
        "ld t5, 16(t1)\n\tbgeu t5, t4, 1f\n\tsd t4, 16(t1)\n"
        /* It goes on for a while, so that its counter may be ahead of hart 0's. */
        "1:\tslli t4, a1, 52\n\tsrli t4, t4, 52\n"
        "2:\taddi t4, t4, -1\n\tbgtz t4, 2b\n\t"
        "rdtime t5\n\tsd t5, 24(t1)\n\tsd t3, 0(t1)\n\tfence rw, rw\n\t"
        "li a7, 0x48534d\n\tli a6, 1\n\tecall\n\tj .");
