/* What of a program for Linux is Armv8's: linux.h has the rest. */
#ifndef PORT_H
#define PORT_H

static long call(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

/* A child that goes on in thread_begins(thread), on a stack of its own. */
static inline long clone_thread(long flags, char *stack, unsigned thread) {
    register long x8 __asm__("x8") = SYS_CLONE;
    register long x0 __asm__("x0") = flags;
    register char *x1 __asm__("x1") = stack;
    register long x2 __asm__("x2") = 0;
    register long x3 __asm__("x3") = 0;
    register long x4 __asm__("x4") = 0;
    register long x19 __asm__("x19") = thread;
    __asm__ volatile("svc #0\n\tcbnz x0, 1f\n\tmov x0, x19\n\tmov x29, #0\n\tbl thread_begins\n1:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x19)
                     : "memory");
    return x0;
}

static inline void relax(void) { __asm__ volatile("yield" : : : "memory"); }

#define VDSO_GETTIME "__kernel_clock_gettime"

/* BRK #0; where NT_PRSTATUS has the PC (struct user_pt_regs). */
#define BREAKPOINT 0xd4200000ull
#define BREAKPOINT_MASK 0xffffffffull
#define PC_REGISTER 32

__asm__(".text\n\t.global _start\n_start:\tmov x29, #0\n\tmov x30, #0\n\tmov x0, sp\n\tb begin");

#endif
