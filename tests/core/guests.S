/*
 * Guest code of the tests in this directory. `python -m tests.core.assemble` writes guests_code.py from it. Routines end
 * with HVC; what they want in registers is said at each.
 */
        .arch   armv8.3-a

        .macro  routine name
        .balign 16
        .global \name
\name:
        .endm

        .macro  one name, instruction:vararg    // x0: an address; x1: a value
        routine \name
        \instruction
        hvc     #0
        .endm

/* Accesses whose syndrome describes them. */

        one     ldrb, ldrb w3, [x0]
        one     ldrsb_w, ldrsb w3, [x0]
        one     ldrsb_x, ldrsb x3, [x0]
        one     ldrh, ldrh w3, [x0]
        one     ldrsh_w, ldrsh w3, [x0]
        one     ldrsh_x, ldrsh x3, [x0]
        one     ldr_w, ldr w3, [x0]
        one     ldrsw, ldrsw x3, [x0]
        one     ldr_x, ldr x3, [x0]
        one     ldr_offset, ldr x30, [x0, #16]
        one     ldr_register, ldr w3, [x0, x2, lsl #2]
        one     ldr_zero, ldr xzr, [x0]
        one     ldur, ldur w3, [x0, #-4]
        one     ldtr, ldtr x3, [x0]
        one     ldar, ldar w3, [x0]
        one     ldarb, ldarb w3, [x0]
        one     strb, strb w1, [x0]
        one     strh, strh w1, [x0]
        one     str_w, str w1, [x0]
        one     str_x, str x1, [x0]
        one     str_offset, strh w1, [x0, #6]
        one     str_zero, str wzr, [x0]
        one     stur, stur x1, [x0, #-8]
        one     stlr, stlr x1, [x0]
        one     stlrb, stlrb w1, [x0]

/* And those whose does not. */

        one     ldr_post, ldr x3, [x0], #8
        one     ldr_pre, ldr x3, [x0, #8]!
        one     str_post, str w1, [x0], #4
        one     str_pre, str x1, [x0, #-16]!
        one     ldp, ldp x3, x4, [x0]
        one     stp, stp w1, w2, [x0]
        one     ldpsw, ldpsw x3, x4, [x0]
        one     ldr_s, ldr s3, [x0]
        one     ldr_q, ldr q3, [x0]
        one     str_b, str b3, [x0]
        one     str_d, str d3, [x0]
        one     ldp_q, ldp q3, q4, [x0]
        one     ld1, ld1 {v3.16b}, [x0]
        one     st1, st1 {v3.4s, v4.4s}, [x0]
        one     ldxr, ldxr x3, [x0]
        one     ldaxrb, ldaxrb w3, [x0]
        one     ldxp, ldxp x3, x4, [x0]
        one     ldadd, ldadd x1, x3, [x0]
        one     stsetb, stsetb w1, [x0]
        one     swp, swpal w1, w3, [x0]
        one     cas, cas x3, x1, [x0]
        one     casp, casp x4, x5, x6, x7, [x0]

        one     branch, br x0

/* What is done in one block. x0, x2: UARTs, whose UARTIMSC becomes w1; x3: an INTID, an address, a value. */

        routine lower_and_end
        str     wzr, [x0, #0x38]
        msr     icc_eoir1_el1, x3
        hvc     #0

        routine move_lines
        str     w1, [x2, #0x38]
        str     w1, [x0, #0x38]
        str     wzr, [x2, #0x38]
        hvc     #0

        routine move_and_send
        str     w1, [x0, #0x38]
        msr     icc_sgi1r_el1, x3
        hvc     #0

        routine move_and_load
        str     w1, [x0, #0x38]
        ldr     w3, [x3]
        hvc     #0

        routine move_and_wait
        str     w1, [x0, #0x38]
        wfi
        hvc     #0

        routine move_often      // x3: how often, in blocks of 400 moves
1:      .rept   200
        str     w1, [x0, #0x38]
        str     wzr, [x0, #0x38]
        .endr
        subs    x3, x3, #1
        b.ne    1b
        hvc     #0

/* Calls and traps. */

        one     nothing, nop
        one     call, hvc #0x1234
        one     secure_call, smc #0
        one     wait_for_interrupt, wfi
        one     wait_for_event, wfe
        one     sgi1, msr s3_0_c12_c11_5, x1
        one     asgi1, msr s3_0_c12_c11_6, x1
        one     sgi0, msr s3_0_c12_c11_7, x1
        one     identification, mrs x3, midr_el1
        one     affinity, mrs x3, mpidr_el1
        one     features, mrs x3, id_aa64pfr0_el1
        one     frequency, mrs x3, cntfrq_el0
        one     level, mrs x3, currentel
        one     masks, mrs x3, daif
        one     system_control, mrs x3, sctlr_el1
        one     stack, mov x3, sp
        one     acknowledge, mrs x3, s3_0_c12_c12_0
        one     end, msr s3_0_c12_c12_1, x1
        one     deactivate, msr s3_0_c12_c11_1, x1

/* Timers: of x0 = 0 the virtual, 1 the physical. x1 = what to write. */

        .macro  timer name, instruction
        routine \name
        cbnz    x0, 1f
        \instruction cntv
        hvc     #0
1:      \instruction cntp
        hvc     #0
        .endm
        .macro  set_tval which
        msr     \which\()_tval_el0, x1
        .endm
        .macro  set_cval which
        msr     \which\()_cval_el0, x1
        .endm
        .macro  set_ctl which
        msr     \which\()_ctl_el0, x1
        .endm
        .macro  get_tval which
        mrs     x3, \which\()_tval_el0
        .endm
        .macro  get_cval which
        mrs     x3, \which\()_cval_el0
        .endm
        .macro  get_ctl which
        mrs     x3, \which\()_ctl_el0
        .endm
        timer   timer_set_tval, set_tval
        timer   timer_set_cval, set_cval
        timer   timer_set_ctl, set_ctl
        timer   timer_tval, get_tval
        timer   timer_cval, get_cval
        timer   timer_ctl, get_ctl
        routine counters
        mrs     x3, cntvct_el0
        mrs     x4, cntpct_el0
        hvc     #0

        routine spin
        b       spin

/* 3 + 3 x0 instructions: a loop of one block. */

        routine rounds
        nop
1:      add     x9, x9, #1
        subs    x0, x0, #1
        b.ne    1b
        hvc     #0

/* The access is the fourth of eight instructions in one block. */

        routine amid
        mov     x9, #1
        mov     x10, #2
        mov     x11, #3
        ldr     x3, [x0]
        mov     x12, #4
        mov     x13, #5
        mov     x14, #6
        hvc     #0

/*
 * x0 = rounds, x1 = an address that is not mapped by the guest's own tables, x2 = the table, x21 = TTBR0. A round runs
 * 3 of its own (SVC, UDF that does not retire, load that does not either, SUBS, B.NE) and the handler's each time.
 */

        .balign 2048
        .global vectors
vectors:
        .space  0x200
        mrs     x15, esr_el1                    // from EL1 with SP_EL1: 0x200
        lsr     x15, x15, #26
        add     x16, x16, #1
        cmp     x15, #0x15                      // SVC: the address is past it
        b.eq    1f
        mrs     x14, elr_el1
        add     x14, x14, #4
        msr     elr_el1, x14
1:      eret
        .balign 128
        add     x17, x17, #1                    // an interrupt: 0x280
        mov     x14, #0xc0
        mrs     x13, spsr_el1
        orr     x13, x13, x14
        msr     spsr_el1, x13                   // no more of them
        eret
        .balign 128
        add     x18, x18, #1                    // a fast interrupt: 0x300
        mov     x14, #0xc0
        mrs     x13, spsr_el1
        orr     x13, x13, x14
        msr     spsr_el1, x13
        eret

        .balign 128
        .space  128                             // SError: 0x380
        mrs     x15, esr_el1                    // from EL0: 0x400
        lsr     x15, x15, #26
        add     x16, x16, #1
        cmp     x15, #0x15
        b.eq    1f
        mrs     x14, elr_el1
        add     x14, x14, #4
        msr     elr_el1, x14
        eret
1:      hvc     #0

        .macro  translate
        mov     x10, #0xff
        msr     mair_el1, x10
        ldr     x10, =(25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23)
        msr     tcr_el1, x10
        msr     ttbr0_el1, x21
        isb
        mrs     x10, sctlr_el1
        mov     x11, #0x1005
        orr     x10, x10, x11
        msr     sctlr_el1, x10
        isb
        .endm

        routine exceptions
        adr     x10, vectors
        msr     vbar_el1, x10
        translate
        mov     x16, #0
        hvc     #1                              // the count begins
1:      svc     #0
        udf     #0
        ldr     x3, [x1]
        subs    x0, x0, #1
        b.ne    1b
        hvc     #0

        routine set_vectors
        adr     x10, vectors
        msr     vbar_el1, x10
        isb
        hvc     #0

/* An undefined instruction, with the vectors at x1. */

        routine undefined
        msr     vbar_el1, x1
        isb
        udf     #0

/*
 * At EL0 a register that EL1 has not granted, in mid-block: 3, the handler's 9, 3 with SVC, the handler's 6. The count
 * begins at the first HVC.
 */

        routine ungranted
        adr     x10, vectors
        msr     vbar_el1, x10
        adr     x10, 1f
        msr     elr_el1, x10
        msr     spsr_el1, xzr
        hvc     #1
        eret
1:      mov     x9, #1
        add     x9, x9, #1
        mrs     x3, cntvct_el0
        add     x9, x9, #1
        add     x9, x9, #1
        svc     #0

/* Translation on with the tables at x21, then a load from x0. */

        routine translated_load
        translate
        ldr     x3, [x0]
        hvc     #0

        routine translated_zva
        translate
        dc      zva, x0
        hvc     #0

/* Interrupts unmasked, and a wait for one. */

        routine take_interrupt
        adr     x10, vectors
        msr     vbar_el1, x10
        isb
        msr     daifclr, #3
1:      add     x18, x18, xzr
        cbnz    x17, 2f
        cbnz    x18, 2f
        b       1b
2:      hvc     #0

/* A call to x0, again and again: what it returned is added up in x9. x1 calls. */

        routine calls
        mov     x2, x0
1:      blr     x2
        add     x9, x9, x0
        subs    x1, x1, #1
        b.ne    1b
        hvc     #0

/* The line at x0 is made coherent as the architecture asks: IVAU at the line, or all. */

        routine synchronise_line
        dc      cvau, x0
        dsb     ish
        ic      ivau, x0
        dsb     ish
        isb
        hvc     #0
        routine synchronise_all
        dsb     ish
        ic      ialluis
        dsb     ish
        isb
        hvc     #0
/* The descriptor at x0 becomes x1, and the TLBs forget what x2 names. */

        .macro  forget operation, operand:vararg
        routine tlbi_\operation
        str     x1, [x0]
        dsb     ishst
        tlbi    \operation\operand
        dsb     ish
        isb
        hvc     #0
        .endm
        forget  vmalle1is
        forget  aside1is, , x2
        forget  vae1is, , x2
        forget  vaae1is, , x2
        forget  vale1is, , x2
        forget  vaale1is, , x2

/* A double word is stored, and the line made coherent, if x3 is not 0; x4 lines, a page apart, with the same word. */

        routine new_lines
1:      str     x1, [x0]
        cbz     x3, 2f
        dc      cvau, x0
        dsb     ish
        ic      ivau, x0
        dsb     ish
2:      add     x0, x0, #0x1000
        subs    x4, x4, #1
        b.ne    1b
        isb
        hvc     #0

        routine return_1
        mov     x0, #1
        ret

/* x1 times 8 bytes, ascending from x2 on, to the device register at x0. */

        routine send
1:      .rept   8
        strb    w2, [x0]
        add     w2, w2, #1
        .endr
        subs    x1, x1, #1
        b.ne    1b
        hvc     #0

/* x0 stores of ascending numbers from x1 on at x2, counted in x3. */

        routine stores
1:      str     x1, [x2], #8
        add     x1, x1, #1
        add     x3, x3, #1
        subs    x0, x0, #1
        b.ne    1b
        hvc     #0
        .ltorg
