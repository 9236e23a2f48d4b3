/* Armv8 at EL1: registers and barriers, time, and calls to the hypervisor. */
#ifndef GUEST_ARCH_H
#define GUEST_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"

struct frame {
    uint64_t x[18]; /* x0..x17 */
    uint64_t x18, x30, elr, spsr;
};

/* Device registers: a plain load or store each, never a pair and never writeback, so that a trap has a syndrome. */
static inline uint32_t read32(uintptr_t address) {
    uint32_t value;
    __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}
static inline void write32(uintptr_t address, uint32_t value) {
    __asm__ volatile("str %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}
static inline void write64(uintptr_t address, uint64_t value) {
    __asm__ volatile("str %x0, [%1]" : : "r"(value), "r"(address) : "memory");
}
static inline void write8(uintptr_t address, uint8_t value) {
    __asm__ volatile("strb %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}

#define READ_REGISTER(name)                                         \
    ({                                                              \
        uint64_t value_;                                            \
        __asm__ volatile("mrs %0, " name : "=r"(value_) : : "memory"); \
        value_;                                                     \
    })
#define WRITE_REGISTER(name, value) __asm__ volatile("msr " name ", %0" : : "r"((uint64_t)(value)) : "memory")

static inline void isb(void) { __asm__ volatile("isb" : : : "memory"); }
static inline void dsb(void) { __asm__ volatile("dsb sy" : : : "memory"); }
static inline void wfi(void) { __asm__ volatile("dsb sy\n\twfi" : : : "memory"); }
static inline void mask_interrupts(void) { __asm__ volatile("msr daifset, #2" : : : "memory"); }
static inline void unmask_interrupts(void) { __asm__ volatile("msr daifclr, #2\n\tisb" : : : "memory"); }

/* In a loop that waits for another vCPU, and for the one that it waits for. */
#define yield() __asm__ volatile("yield" : : : "memory")
#define wake() __asm__ volatile("dsb ishst\n\tsev" : : : "memory")

/* Adds one, without a word being lost to others, and returns the sum. */
#define INCREMENT(pointer)                                                                     \
    ({                                                                                         \
        uint32_t was_, failed_;                                                                \
        do {                                                                                   \
            __asm__ volatile("ldaxr %w0, [%2]\n\tadd %w0, %w0, #1\n\tstlxr %w1, %w0, [%2]"     \
                             : "=&r"(was_), "=&r"(failed_)                                     \
                             : "r"(pointer)                                                    \
                             : "memory");                                                      \
        } while (failed_);                                                                     \
        was_;                                                                                  \
    })

static inline void lock(uint32_t *word) {
    uint32_t was, failed;
    do {
        __asm__ volatile("ldaxr %w0, [%2]\n\tstxr %w1, %w3, [%2]"
                         : "=&r"(was), "=&r"(failed)
                         : "r"(word), "r"(1)
                         : "memory");
    } while (was || failed);
}

/* Flat in Aff0, as Bao numbers vCPUs. Where there can be more than an SGI reaches so, Aff1 counts the sixteens, as under baonet. */
#if MAX_CPUS > CPUS_OF_AFF1
static inline uint64_t affinity_of(unsigned cpu) { return (uint64_t)(cpu / CPUS_OF_AFF1) << 8 | cpu % CPUS_OF_AFF1; }
static inline unsigned this_cpu(void) {
    uint64_t place = READ_REGISTER("mpidr_el1");
    return (place >> 8 & 0xff) * CPUS_OF_AFF1 + (place & 0xff);
}
static inline unsigned sgi_target(unsigned cpu) { return cpu / CPUS_OF_AFF1 << 16 | 1u << cpu % CPUS_OF_AFF1; }
#else
static inline uint64_t affinity_of(unsigned cpu) { return cpu; }
static inline unsigned sgi_target(unsigned cpu) { return 1u << cpu; }
static inline unsigned this_cpu(void) { return READ_REGISTER("mpidr_el1") & 0xff; }
#endif

/* gic.c: GICv3 or GICv2, whichever the CPU has (ID_AA64PFR0_EL1.GIC). */
unsigned gic_version(void);

/* Time: the virtual counter and timer. */
static inline uint64_t ticks(void) {
    isb();
    return READ_REGISTER("cntvct_el0");
}
static inline uint64_t ticks_per_second(void) { return READ_REGISTER("cntfrq_el0"); }
static inline void timer_set(uint64_t deadline) {
    WRITE_REGISTER("cntv_cval_el0", deadline);
    WRITE_REGISTER("cntv_ctl_el0", 1);
    isb();
}
static inline void timer_off(void) {
    WRITE_REGISTER("cntv_ctl_el0", 0);
    isb();
}

/* PSCI and Bao's hypercalls, both by HVC (SMCCC: x0 function and result, x1.. arguments). */
static inline int64_t hvc(uint64_t function, uint64_t a, uint64_t b, uint64_t c) {
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = a;
    register uint64_t x2 __asm__("x2") = b;
    register uint64_t x3 __asm__("x3") = c;
    __asm__ volatile("hvc #0"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
                     :
                     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
                       "memory");
    return (int64_t)x0;
}
#define PSCI_VERSION 0x84000000
#define PSCI_CPU_OFF 0x84000002
#define PSCI_CPU_ON 0xC4000003
#define PSCI_AFFINITY_INFO 0xC4000004
#define PSCI_SYSTEM_OFF 0x84000008
#define PSCI_SYSTEM_RESET 0x84000009
#define BAO_IPC 0x86000001

/* Rings the other VMs that share the VM's ipc number `ipc`; an `event` is an index of their interrupts. */
static inline int64_t ipc_notify(unsigned ipc, unsigned event) {
    dsb();
    return hvc(BAO_IPC, ipc, event, 0);
}

#define SYSTEM_OFF "SYSTEM_OFF" /* what refuses is called so */
#define SYSTEM_RESET "SYSTEM_RESET"
static inline int64_t system_off(void) { return hvc(PSCI_SYSTEM_OFF, 0, 0, 0); }
static inline int64_t system_reset(void) { return hvc(PSCI_SYSTEM_RESET, 0, 0, 0); }
static inline int64_t cpu_on(unsigned cpu, void (*entry)(void), uint64_t context) {
    return hvc(PSCI_CPU_ON, affinity_of(cpu), (uintptr_t)entry, context);
}
/* Why a start was refused: it runs, or is to start. */
static inline bool cpu_was_busy(int64_t result) { return result == -4 || result == -5; }
static inline void cpu_off_call(void) { hvc(PSCI_CPU_OFF, 0, 0, 0); }
static inline bool cpu_is_off(unsigned cpu) { return hvc(PSCI_AFFINITY_INFO, cpu, 0, 0) == 1; }
static inline void cheapest_call(void) { hvc(PSCI_VERSION, 0, 0, 0); }

/* An exception that a guest has of its own, and comes back from behind it. */
static inline void own_call(void) { __asm__ volatile("svc #0" : : : "memory"); }
static inline bool is_own_call(struct frame *frame, uint64_t esr) {
    (void)frame;
    return esr >> 26 == 0x15;
}
static inline void skip_instruction(struct frame *frame) { frame->elr += 4; }

/*
 * Into the trace: a write to the debug communications channel, DBGDTR_EL0. It is one instruction and no exit, and without a
 * debugger it does nothing on hardware.
 */
static inline void mark(uint64_t value) { WRITE_REGISTER("s2_3_c0_c4_0", value); }

#endif
