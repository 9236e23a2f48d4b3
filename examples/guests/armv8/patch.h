/*
 * Of patch.c: how code is changed (Arm ARM B2.2.5: a B that becomes another B needs no more than that). IC IVAU or IC IALLUIS, or
 * both in turn.
 */
#define BRANCH 0x14000000u

/* As who loads a program does it: a line after the other, or all at once. */
static void synchronise(uint32_t *at, bool all) {
    __asm__ volatile("dc cvau, %0\n\tdsb ish" : : "r"(at) : "memory");
    if (all)
        __asm__ volatile("ic ialluis" : : : "memory");
    else
        for (unsigned line = 0; line < lines; line++)
            __asm__ volatile("ic ivau, %0" : : "r"(at + line * LINE) : "memory");
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

/* The word at `at` that goes `distance` bytes from it. */
#define BRANCH_TO(distance) (BRANCH | ((distance) >> 2 & 0x3ffffff))

/* Before what was published is called. */
static inline void see_code(void) { isb(); }

#define SYNCHRONISE_ALL(code)                                                                              \
    for (uintptr_t at = (uintptr_t)code; at < (uintptr_t)code + sizeof code; at += 64)                     \
        synchronise((uint32_t *)at, false)

#define FINISH(finished)                                                                                   \
    __asm__ volatile("1: ldaxr w9, [%0]\n\tadd w9, w9, #1\n\tstlxr w10, w9, [%0]\n\tcbnz w10, 1b"          \
                     :                                                                                     \
                     : "r"(finished)                                                                       \
                     : "w9", "w10", "memory")
