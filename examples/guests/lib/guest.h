/*
 * The small library of the guests: registers, console, interrupts, time, power and Bao's hypercall.
 *
 * A guest defines guest_main (and guest_secondary, on_interrupt, on_exception when it needs them). All vCPUs run with
 * interrupts masked until they unmask them. What each architecture does in its own way is in its `arch.h`.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch.h"
#include "board.h"

/* Given by each guest. */
void guest_main(void);
void guest_secondary(unsigned cpu);
void on_interrupt(unsigned intid);
bool on_exception(struct frame *frame, uint64_t cause, uint64_t address); /* true: go on where `frame` says */

/* print.c: one call is one whole line; %s, %u, %d (64 bits each) and %x. Lines of two vCPUs do not mix. */
void print_line(const char *format, ...);

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

/* The interrupt controller that there is. */
void irqc_init(void);             /* once */
void irqc_init_cpu(void);         /* on each vCPU */
void irqc_enable(unsigned intid); /* edge triggered if it is shared, routed to this vCPU */
void irqc_enable_level(unsigned intid);
void irqc_send(unsigned intid, unsigned cpu); /* a software generated interrupt; 0 to 9 are some */

static inline uint64_t nanoseconds(uint64_t t) { return t * 1000000000u / ticks_per_second(); } /* up to minutes */

/* power.c */
extern uint64_t device_tree;               /* at entry: where it is, as for Linux; 0 under Bao */
void secondary_start(void);                /* start.S: the entry of a vCPU that another one starts */
unsigned start_secondaries(unsigned most); /* returns how many vCPUs run then, this one included */
__attribute__((noreturn)) void power_off(const char *name);
__attribute__((noreturn)) void cpu_off(void);

#endif
