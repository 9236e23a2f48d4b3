/* Code that is made while it runs. */
#ifndef GUEST_CODE_H
#define GUEST_CODE_H

#include "guest.h"

#define WORDS_OF_ANSWER 4 /* with one that is unused */

/* A function that returns a number below 2^19, of which the first word alone depends on it. */
static inline void write_answer(volatile uint32_t *at, uint32_t number) {
    at[0] = 0x00000537 | number << 12; /* lui a0, number */
    at[1] = 0x00c55513;                /* srli a0, a0, 12 */
    at[2] = 0x00008067;                /* ret */
}

static inline void publish_code_here(void) { __asm__ volatile("fence rw, rw\n\tfence.i" : : : "memory"); }

/* No vCPU runs what was there before. */
static inline void publish_code(void) {
    publish_code_here();
    sbi(SBI_RFENCE, 0, ALL_CPUS, 0, 0, 0);
}

#endif
