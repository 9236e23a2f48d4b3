/*
 * The small library of the guests: registers, console, interrupts, time, power and Bao's hypercall.
 *
 * A guest defines guest_main (and guest_secondary, on_interrupt, on_exception when it needs them). All vCPUs run with
 * interrupts masked until they unmask them.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"

struct frame {
    uint64_t x[18]; /* x0..x17 */
    uint64_t x18, x30, elr, spsr;
};

/* Given by each guest. */
void guest_main(void);
void guest_secondary(unsigned cpu);
void on_interrupt(unsigned intid);
bool on_exception(struct frame *frame, uint64_t esr, uint64_t far); /* true: go on at frame->elr */

/* print.c: one call is one whole line; %s, %u, %d (64 bits each) and %x. Lines of two vCPUs do not mix. */
void print_line(const char *format, ...);

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

/* Sleeps until `condition` holds; it is evaluated with interrupts masked, so no wake-up is lost. */
#define SLEEP_UNTIL(condition)   \
    do {                         \
        mask_interrupts();       \
        while (!(condition)) {   \
            wfi();               \
            unmask_interrupts(); \
            mask_interrupts();   \
        }                        \
        unmask_interrupts();     \
    } while (0)

/* Memory that another vCPU, VM or an interrupt handler changes. */
#define LOAD(pointer) __atomic_load_n(pointer, __ATOMIC_ACQUIRE)
#define STORE(pointer, value) __atomic_store_n(pointer, value, __ATOMIC_RELEASE)

/* gic.c: GICv3 or GICv2, whichever the CPU has (ID_AA64PFR0_EL1.GIC). */
void gic_init(void);     /* the distributor; once */
void gic_init_cpu(void); /* the redistributor and CPU interface; on each vCPU */
unsigned gic_version(void);
void gic_enable(unsigned intid); /* edge triggered if it is an SPI, routed to this vCPU */
void gic_enable_level(unsigned intid);
void gic_send_sgi(unsigned intid, unsigned cpu);

/* Time: the virtual counter and timer. */
static inline uint64_t ticks(void) {
    isb();
    return READ_REGISTER("cntvct_el0");
}
static inline uint64_t ticks_per_second(void) { return READ_REGISTER("cntfrq_el0"); }
static inline uint64_t nanoseconds(uint64_t t) { return t * 1000000000u / ticks_per_second(); } /* up to minutes */
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

/* power.c */
extern uint64_t device_tree;               /* x0 at entry: where it is, as for Linux; 0 under Bao */
void secondary_start(void);                /* start.S: the entry of a vCPU that CPU_ON starts */
unsigned start_secondaries(unsigned most); /* returns how many vCPUs run then, this one included */
__attribute__((noreturn)) void power_off(const char *name);
__attribute__((noreturn)) void cpu_off(void);

#endif
