/*
 * To EL0 in AArch32 state and back, by whatever exception. There X0 to X14 are the registers; what else a caller keeps is on the
 * stack meanwhile.
 */
    .arch armv8-a
    .text

    .global enter
enter:                              /* x0: PC, x1: PSTATE; returns R0 */
    stp     x29, x30, [sp, #-16]!
    stp     x27, x28, [sp, #-16]!
    stp     x25, x26, [sp, #-16]!
    stp     x23, x24, [sp, #-16]!
    stp     x21, x22, [sp, #-16]!
    stp     x19, x20, [sp, #-16]!
    msr     elr_el1, x0
    msr     spsr_el1, x1
    eret
back:
    ldp     x19, x20, [sp], #16
    ldp     x21, x22, [sp], #16
    ldp     x23, x24, [sp], #16
    ldp     x25, x26, [sp], #16
    ldp     x27, x28, [sp], #16
    ldp     x29, x30, [sp], #16
    ret

    .global enter_vectors
    .balign 2048
enter_vectors:
    .rept   16
    .balign 128
    b       back
    .endr
