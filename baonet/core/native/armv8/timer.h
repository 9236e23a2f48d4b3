/* The generic timer. Its counter counts ticks. */
#ifndef BAONET_ARMV8_TIMER_H
#define BAONET_ARMV8_TIMER_H

#include "core.h"

/* The counter. */
uint64_t timer_now(struct core *core);

/* Both timers have been replaced. */
void timer_renew(struct core *core);

/* The guest has ended a timer's interrupt. */
void timer_deactivate(struct core *core, uint32_t intid);

/* For the registers: CNT*CT; TVAL, CTL and CVAL of either by their entries, or by TIMER_VIRTUAL or _PHYSICAL and op2. */
uint64_t timer_count(void *env, const void *ri);
uint64_t timer_read(void *env, const void *ri);
void timer_write(void *env, const void *ri, uint64_t value);
uint64_t timer_read_register(unsigned which, unsigned which_register);
void timer_write_register(unsigned which, unsigned which_register, uint64_t value);

#endif
