/* Of irqlat.c */

/* A hart without coherent fetching empties its instruction cache. */
static inline void forget_instructions(void) { __asm__ volatile("fence.i" : : : "memory"); }
