/* RISC-V in S mode: registers and fences, time, and calls to the hypervisor. */
#ifndef GUEST_ARCH_H
#define GUEST_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"

struct frame {
    uint64_t pc;
    uint64_t x[31]; /* x1..x31; those that a function keeps are not there */
    uint64_t status, unused;
};

/*
 * Device registers: a plain load or store each, of a form that Bao decodes. What is loaded need not be sign-extended there, so
 * it goes through 64 bits.
 */
static inline uint32_t read32(uintptr_t address) {
    uint64_t value;
    __asm__ volatile("lw %0, 0(%1)" : "=r"(value) : "r"(address) : "memory");
    return (uint32_t)value;
}
static inline void write32(uintptr_t address, uint32_t value) {
    __asm__ volatile("sw %0, 0(%1)" : : "r"(value), "r"(address) : "memory");
}
static inline uint8_t read8(uintptr_t address) {
    uint64_t value;
    __asm__ volatile("lbu %0, 0(%1)" : "=r"(value) : "r"(address) : "memory");
    return (uint8_t)value;
}
static inline void write8(uintptr_t address, uint8_t value) {
    __asm__ volatile("sb %0, 0(%1)" : : "r"(value), "r"(address) : "memory");
}

#define READ_REGISTER(name)                                             \
    ({                                                                  \
        uint64_t value_;                                                \
        __asm__ volatile("csrr %0, " name : "=r"(value_) : : "memory"); \
        value_;                                                         \
    })
#define WRITE_REGISTER(name, value) __asm__ volatile("csrw " name ", %0" : : "r"((uint64_t)(value)) : "memory")
#define SET_BITS(name, value) __asm__ volatile("csrs " name ", %0" : : "r"((uint64_t)(value)) : "memory")
#define CLEAR_BITS(name, value) __asm__ volatile("csrc " name ", %0" : : "r"((uint64_t)(value)) : "memory")

/* Causes of interrupts, and so bits of sie and sip. */
#define CAUSE_SOFTWARE 1
#define CAUSE_TIMER 5
#define CAUSE_EXTERNAL 9

static inline void isb(void) { __asm__ volatile("" : : : "memory"); } /* a CSR is read in order */
static inline void dsb(void) { __asm__ volatile("fence iorw, iorw" : : : "memory"); }
static inline void wfi(void) { __asm__ volatile("fence iorw, iorw\n\twfi" : : : "memory"); }
static inline void mask_interrupts(void) { __asm__ volatile("csrci sstatus, 2" : : : "memory"); }
static inline void unmask_interrupts(void) { __asm__ volatile("csrsi sstatus, 2" : : : "memory"); }

/* PAUSE: in a loop that waits for another vCPU. Nothing is needed to end that. */
#define yield() __asm__ volatile(".word 0x0100000f" : : : "memory")
#define wake() ((void)0)

/* Adds one, without a word being lost to others, and returns the sum. */
#define INCREMENT(pointer) __atomic_add_fetch(pointer, 1, __ATOMIC_ACQ_REL)

static inline void lock(uint32_t *word) {
    while (__atomic_exchange_n(word, 1, __ATOMIC_ACQUIRE)) {}
}

static inline unsigned this_cpu(void) {
    uint64_t cpu;
    __asm__("mv %0, tp" : "=r"(cpu));
    return (unsigned)cpu;
}

/* board.c: what there is, as far as a tree or the entry told. */
extern uint64_t timebase;
extern bool has_stimecmp, has_zicboz;

/* Calls (SBI 0.2): the error in a0, a value in a1. Bao's hypercall has its result in a1. */
struct answer {
    int64_t error, value;
};
static inline struct answer sbi(uint64_t extension, uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    register uint64_t a0 __asm__("a0") = a;
    register uint64_t a1 __asm__("a1") = b;
    register uint64_t a2 __asm__("a2") = c;
    register uint64_t a3 __asm__("a3") = d;
    register uint64_t a4 __asm__("a4") = 0;
    register uint64_t a6 __asm__("a6") = function;
    register uint64_t a7 __asm__("a7") = extension;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7) : "memory");
    return (struct answer){(int64_t)a0, (int64_t)a1};
}
#define SBI_BASE 0x10
#define SBI_TIME 0x54494D45
#define SBI_IPI 0x735049
#define SBI_RFENCE 0x52464E43
#define SBI_HSM 0x48534D
#define SBI_RESET 0x53525354
#define BAO 0x08000BA0

/* Rings the other VMs that share the VM's ipc number `ipc`; an `event` is an index of their interrupts. */
static inline int64_t ipc_notify(unsigned ipc, unsigned event) {
    dsb();
    struct answer answer = sbi(BAO, 1, ipc, event, 0, 0);
    return answer.error ? answer.error : answer.value;
}

/* Time: stimecmp where the tree has told of it, else by a call. */
static inline uint64_t ticks(void) { return READ_REGISTER("time"); }
static inline uint64_t ticks_per_second(void) { return timebase; }
static inline void timer_set(uint64_t deadline) {
    if (has_stimecmp)
        WRITE_REGISTER("0x14d", deadline);
    else
        sbi(SBI_TIME, 0, deadline, 0, 0, 0);
}
static inline void timer_off(void) { timer_set(UINT64_MAX); }

#define SYSTEM_OFF "SRST shutdown" /* what refuses is called so */
#define SYSTEM_RESET "SRST reboot"
#define ALL_CPUS (MAX_CPUS >= 64 ? ~0ull : (1ull << MAX_CPUS % 64) - 1)
static inline int64_t system_off(void) { return sbi(SBI_RESET, 0, 0, 0, 0, 0).error; }
static inline int64_t system_reset(void) { return sbi(SBI_RESET, 0, 1, 0, 0, 0).error; }
static inline int64_t cpu_on(unsigned cpu, void (*entry)(void), uint64_t context) {
    return sbi(SBI_HSM, 0, cpu, (uintptr_t)entry, context, 0).error;
}
/* Why a start was refused: it runs, or is to start, which OpenSBI calls an invalid parameter. */
static inline bool cpu_was_busy(int64_t result) { return result == -6 || result == -1 || result == -3; }
static inline void cpu_off_call(void) { sbi(SBI_HSM, 1, 0, 0, 0, 0); }
static inline bool cpu_is_off(unsigned cpu) { return sbi(SBI_HSM, 2, cpu, 0, 0, 0).value == 1; }
static inline void cheapest_call(void) { sbi(SBI_BASE, 0, 0, 0, 0, 0); }

/* An exception that a guest has of its own, and comes back from behind it. */
static inline void own_call(void) { __asm__ volatile("ebreak" : : : "memory"); }
static inline void skip_instruction(struct frame *frame) {
    frame->pc += (*(const volatile uint16_t *)frame->pc & 3) == 3 ? 4 : 2;
}
static inline bool is_own_call(struct frame *frame, uint64_t cause) {
    if (cause != 3) return false;
    skip_instruction(frame);
    return true;
}

/* Into the trace: a FENCE that orders nothing, which is a hint. It is one instruction and no exit; hardware passes over it. */
static inline void mark(uint64_t value) {
    __asm__ volatile(".insn i 0x0f, 0, x0, %0, 0" : : "r"(value) : "memory");
}

#endif
