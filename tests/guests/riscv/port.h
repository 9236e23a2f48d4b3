/* What of a program for Linux is RISC-V's: linux.h has the rest. */
#ifndef PORT_H
#define PORT_H

static long call(long number, long a, long b, long c, long d, long e, long f) {
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d;
    register long a4 __asm__("a4") = e;
    register long a5 __asm__("a5") = f;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
    return a0;
}

/* A child that goes on in thread_begins(thread), on a stack of its own. */
static inline long clone_thread(long flags, char *stack, unsigned thread) {
    register long a7 __asm__("a7") = SYS_CLONE;
    register long a0 __asm__("a0") = flags;
    register char *a1 __asm__("a1") = stack;
    register long a2 __asm__("a2") = 0;
    register long a3 __asm__("a3") = 0;
    register long a4 __asm__("a4") = 0;
    register long s1 __asm__("s1") = thread;
    __asm__ volatile("ecall\n\tbnez a0, 1f\n\tmv a0, s1\n\tcall thread_begins\n1:"
                     : "+r"(a0)
                     : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(s1)
                     : "memory", "ra");
    return a0;
}

static inline void relax(void) { __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x10" : : : "memory"); } /* PAUSE */

#define VDSO_GETTIME "__vdso_clock_gettime"

/* C.EBREAK; where NT_PRSTATUS has the PC (struct user_regs_struct). */
#define BREAKPOINT 0x9002ull
#define BREAKPOINT_MASK 0xffffull
#define PC_REGISTER 0

__asm__(".text\n\t.global _start\n_start:\tli fp, 0\n\tli ra, 0\n\tmv a0, sp\n\ttail begin");

#endif
