/*
 * Guest code that probes which exceptions come, as what, and from where. `python -m tests.core.assemble` writes
 * probes_code.py from it. A routine ends with HVC, or with an exception: vectors.py puts the vectors where room is.
 */
        .arch   armv8.5-a+sve+lse+crypto+sha3+sm4+fp16fml+rng+predres+memtag

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

        .balign 2048
        .global vectors
vectors:
        .space  2048

/* Registers of EL1: x0 VBAR, x1 SCTLR, x2 CPACR, x3 TTBR0, x4 TCR, x5 MAIR, x6 MDSCR. */

        routine set_up
        msr     vbar_el1, x0
        msr     ttbr0_el1, x3
        msr     tcr_el1, x4
        msr     mair_el1, x5
        msr     mdscr_el1, x6
        isb
        msr     sctlr_el1, x1
        msr     cpacr_el1, x2
        isb
        hvc     #0

/* To x30 with SPSR x29, SP_EL0 x28 and SP_EL1 x27. */

        routine go
        msr     elr_el1, x30
        msr     spsr_el1, x29
        msr     sp_el0, x28
        mov     sp, x27
        eret

        one     nothing, nop

/* FP, SIMD and SVE. */

        one     fmov, fmov d0, d0
        one     vector_move, mov v0.16b, v0.16b
        one     read_fpsr, mrs x3, fpsr
        one     str_q, str q0, [x0]
        one     sve_count, cntb x3
        one     sve_read_zcr, mrs x3, zcr_el1
        one     set_cpacr, msr cpacr_el1, x1
        one     get_cpacr, mrs x3, cpacr_el1

/* The trap is the fourth of eight instructions in one block. */

        routine fp_amid
        mov     x9, #1
        mov     x10, #2
        mov     x11, #3
        fmov    d0, x9
        mov     x12, #4
        mov     x13, #5
        mov     x14, #6
        hvc     #0

/*
 * Two threads that use FP, and switch it lazily: a switch only disables FP, and the trap of the next use saves the
 * registers of its last owner and loads those of the current. x0 rounds; v0 of a thread counts its own rounds. At the end
 * x3 and x4 are what the two have counted, x5 the traps.
 */
        .balign 2048
lazy_vectors:
        .space  0x200
        mrs     x10, esr_el1
        lsr     x10, x10, #26
        cmp     x10, #7
        b.ne    1f
        add     x5, x5, #1
        mov     x10, #(3 << 20)
        msr     cpacr_el1, x10
        isb
        adr     x11, lazy_save
        add     x12, x11, x7, lsl #4            // x7: the owner
        str     q0, [x12]
        add     x12, x11, x6, lsl #4            // x6: the current thread
        ldr     q0, [x12]
        mov     x7, x6
        eret
1:      hvc     #1
        .balign 16
lazy_save:
        .quad   0, 0, 0, 0

        routine lazy_switch
        adr     x10, lazy_vectors
        msr     vbar_el1, x10
        adr     x11, lazy_save
        stp     xzr, xzr, [x11]
        stp     xzr, xzr, [x11, #16]
        mov     x5, #0
        mov     x6, #0
        mov     x7, #0
        msr     cpacr_el1, xzr
        isb
        movi    v1.2d, #0                       // the first trap
        mov     x8, #1
2:      fmov    x9, d0
        add     x9, x9, #1
        fmov    d0, x9
        eor     x6, x6, #1                      // the other thread's turn
        msr     cpacr_el1, xzr
        isb
        subs    x0, x0, #1
        b.ne    2b
        fmov    x9, d0                          // whoever is current, its registers are there
        adr     x11, lazy_save
        add     x12, x11, x7, lsl #4
        str     q0, [x12]
        ldr     x3, [x11]
        ldr     x4, [x11, #16]
        hvc     #0

/* What EL0 may not do. */

        one     set_daif, msr daifset, #3
        one     clear_daif, msr daifclr, #4
        one     read_daif, mrs x3, daif

/* Returns and branches: to x0, with SPSR x1. */

        routine return_to
        msr     elr_el1, x0
        msr     spsr_el1, x1
        eret
        one     branch, br x0
        one     branch_link, blr x0
        one     return_register, ret x0

        routine read_current
        mrs     x3, daif
        mrs     x4, nzcv
        mrs     x5, spsel
        hvc     #0

/* Loads and stores: x0 is the address, x1 the value. */

        one     ldrh, ldrh w3, [x0]
        one     ldr_w, ldr w3, [x0]
        one     ldr_x, ldr x3, [x0]
        one     str_w, str w1, [x0]
        one     str_x, str x1, [x0]
        one     ldrb, ldrb w3, [x0]
        one     strb, strb w1, [x0]
        one     ldp, ldp x3, x4, [x0]
        one     stp, stp x1, x1, [x0]
        one     ldr_q, ldr q0, [x0]
        one     ldp_q, ldp q0, q1, [x0]
        one     ld1_b, ld1 {v0.16b}, [x0]
        one     ld1_d, ld1 {v0.2d}, [x0]
        one     ldar, ldar x3, [x0]
        one     ldarh, ldarh w3, [x0]
        one     stlr, stlr w1, [x0]
        one     ldapr, .inst 0xf8bfc003         // ldapr x3, [x0]
        one     ldapur, .inst 0xd9400003        // ldapur x3, [x0]
        one     stlur, .inst 0x99000001         // stlur w1, [x0]
        one     ldxr, ldxr x3, [x0]
        one     ldaxr, ldaxr w3, [x0]
        one     ldxp, ldxp x3, x4, [x0]
        one     ldadd, ldadd x1, x3, [x0]
        one     stadd, stadd w1, [x0]
        one     swp, swp w1, w3, [x0]
        one     cas, cas x3, x1, [x0]
        one     casp, casp x2, x3, x4, x5, [x0]
        one     casp_w, casp w2, w3, w4, w5, [x0]
        routine exclusive_pair
        ldxp    x3, x4, [x0]
        stxp    w5, x1, x1, [x0]
        hvc     #0
        one     ldtr, ldtr x3, [x0]
        one     sttr, sttr x1, [x0]
        one     zero, dc zva, x0
        routine exclusive
        ldxr    x3, [x0]
        stxr    w4, x1, [x0]
        hvc     #0

        routine translate
        at      s1e1r, x0
        mrs     x3, par_el1
        hvc     #0

/* Of SP. */

        one     push, stp x0, x1, [sp, #-16]!
        one     pop, ldp x3, x4, [sp], #16
        one     store_at_sp, str x0, [sp]
        one     store_at_sp_8, str x0, [sp, #8]
        one     store_at_sp_16, str w0, [sp, #16]
        one     load_at_sp_32, ldur x3, [sp, #-32]
        one     byte_at_sp, ldrb w3, [sp]
        one     exclusive_at_sp, ldxrb w3, [sp]
        one     vector_at_sp, ld1 {v0.16b}, [sp]
        one     vector_pair_at_sp, stp d0, d1, [sp, #-64]!

/* The access is the fourth of eight instructions in one block; then what is after it. */

        routine load_amid
        mov     x9, #1
        mov     x10, #2
        mov     x11, #3
        ldr     x3, [x0]
        mov     x12, #4
        mov     x13, #5
        mov     x14, #6
        hvc     #0
        routine store_amid
        mov     x9, #1
        mov     x10, #2
        mov     x11, #3
        str     x1, [x0]
        mov     x12, #4
        mov     x13, #5
        mov     x14, #6
        hvc     #0

/* Debug registers: x0 value, x1 control. */

        .macro  debug kind, n
        routine set_\kind\n
        msr     dbg\kind\()vr\n\()_el1, x0
        msr     dbg\kind\()cr\n\()_el1, x1
        isb
        hvc     #0
        .endm
        .irp    n, 0, 1, 2, 3
        debug   w, \n
        .endr
        .irp    n, 0, 1, 2, 3, 4, 5
        debug   b, \n
        .endr
        one     set_mdscr, msr mdscr_el1, x0
        one     set_context, msr contextidr_el1, x0
        one     set_os_lock, msr oslar_el1, x0
        one     forget_page, tlbi vmalle1

/* A loop of two stores, x2 rounds: the first at x0, the second at x3 with the count in x2. */

        routine store_loop
1:      str     x2, [x0]
        str     x2, [x3]
        subs    x2, x2, #1
        b.ne    1b
        hvc     #0

/* Six instructions and a call; a breakpoint or a step is set among them. */

        routine steps
        mov     x9, #1
        mov     x10, #2
        mov     x11, #3
        mov     x12, #4
        mov     x13, #5
        mov     x14, #6
        hvc     #0

/* One instruction of each feature that an ID register may have. x0 is the address of data. */

        .macro  feature name, instruction:vararg
        one     feature_\name, \instruction
        .endm
        feature aes, aese v0.16b, v1.16b
        feature pmull, pmull v0.1q, v1.1d, v2.1d
        feature sha1, sha1h s0, s1
        feature sha256, sha256h q0, q1, v2.4s
        feature sha512, sha512h q0, q1, v2.2d
        feature crc32, crc32x w3, w1, x2
        feature lse, ldadd x1, x3, [x0]
        feature rdm, sqrdmlah v0.4s, v1.4s, v2.4s
        feature sha3, eor3 v0.16b, v1.16b, v2.16b, v3.16b
        feature sm3, sm3ss1 v0.4s, v1.4s, v2.4s, v3.4s
        feature sm4, sm4e v0.4s, v1.4s
        feature dotprod, udot v0.4s, v1.16b, v2.16b
        feature fhm, fmlal v0.4s, v1.4h, v2.4h
        feature flagm, cfinv
        feature flagm2, axflag
        feature rng, mrs x3, rndr
        feature dpb, dc cvap, x0
        feature dpb2, dc cvadp, x0
        feature pauth, pacia x3, x1
        feature pauth_generic, pacga x3, x1, x2
        feature jscvt, fjcvtzs w3, d0
        feature fcma, fcmla v0.4s, v1.4s, v2.4s, #90
        feature lrcpc, ldapr x3, [x0]
        feature lrcpc2, ldapur x3, [x0, #8]
        feature frintts, frint32z s0, s1
        feature sb, sb
        feature specres, cfp rctx, x1
        feature lor, ldlar x3, [x0]
        feature pan, msr pan, #0
        feature pan2, at s1e1rp, x0
        feature uao, msr uao, #0
        feature sve, rdvl x3, #1
        feature zcr, mrs x3, zcr_el1
        feature fp, fadd d0, d1, d2
        feature simd, add v0.4s, v1.4s, v2.4s
        feature pmu, mrs x3, pmccntr_el0
        feature ras, mrs x3, erridr_el1
        feature mte, irg x3, x1
        feature dit, msr dit, #1
        feature ssbs, msr ssbs, #1

        routine branch_target
        bti     j
        hvc     #0
