/* Of irqlat.c */

/* What was fetched is fetched from the second-level cache, or from further away. */
static inline void forget_instructions(void) { __asm__ volatile("ic iallu" : : : "memory"); }
