/*
 * A32 and T32 code of the tests in this directory, for EL0. `python -m tests.core.assemble` writes aarch32_code.py from it.
 * Routines end with SVC; what they want in registers is said at each. Names begin with the instruction set.
 */
        .syntax unified
        .arch   armv8-a
        .arch_extension crc
        .fpu    crypto-neon-fp-armv8

        .macro  routine name
        .balign 16
        .global \name
\name:
        .endm

        .macro  both name, instruction:vararg   // r0: an address; r1: a value
        .arm
        routine a32_\name
        \instruction
        svc     #0
        .thumb
        routine t32_\name
        \instruction
        svc     #0
        .endm

        .macro  only_a32 name, instruction:vararg
        .arm
        routine a32_\name
        \instruction
        svc     #0
        .endm

        .macro  only_t32 name, instruction:vararg
        .thumb
        routine t32_\name
        \instruction
        svc     #0
        .endm

/* Accesses whose syndrome describes them. */

        only_a32 ldrb, ldrb r3, [r0]
        only_a32 ldrsb, ldrsb r3, [r0]
        only_a32 ldrh, ldrh r3, [r0]
        only_a32 ldrsh, ldrsh r3, [r0]
        only_a32 ldr, ldr r3, [r0]
        only_a32 ldr_offset, ldr lr, [r0, #16]
        only_a32 ldr_register, ldr r12, [r0, r2, lsl #2]
        only_a32 strb, strb r1, [r0]
        only_a32 strh, strh r1, [r0]
        only_a32 str, str r1, [r0]
        only_a32 lda, lda r3, [r0]
        only_a32 stl, stl r1, [r0]
        only_t32 ldrb_narrow, ldrb r3, [r0]
        only_t32 ldrh_narrow, ldrh r3, [r0]
        only_t32 ldr_narrow, ldr r3, [r0]
        only_t32 str_narrow, str r1, [r0]
        only_t32 strb_narrow, strb r1, [r0]
        only_t32 ldrb, ldrb.w r3, [r0]
        only_t32 ldrsh, ldrsh.w r3, [r0]
        only_t32 ldr, ldr.w r3, [r0]
        only_t32 str, str.w r1, [r0]

/* And those whose does not. */

        both    ldr_post, ldr r3, [r0], #4
        both    str_pre, str r1, [r0, #-4]!
        both    ldrd, ldrd r4, r5, [r0]
        both    ldm, ldm r0, {r3, r4}
        both    stm, stm r0, {r1, r2}
        both    ldrex, ldrex r3, [r0]
        both    vldr, vldr d3, [r0]
        both    vld1, vld1.8 {d3}, [r0]

/* Exceptions. */

        both    call, svc 0x12
        both    undefined, udf 0x12
        both    breakpoint, bkpt 0x12
        only_a32 swp, .inst 0xe1003091          // SWP r3, r1, [r0], which Armv8 does not have
        only_a32 swpb, .inst 0xe1403091
        both    system_register, mrc p15, 0, r3, c1, c0, 0
        only_a32 set_endianness, setend be
        only_t32 set_endianness, setend be
        both    floating_point, vadd.f64 d0, d0, d1

/* Hints. */

        both    wfi, wfi
        both    wfe, wfe
        both    yield, yield
        only_t32 wfe_wide, wfe.w
        only_t32 yield_wide, yield.w
        both    sev, sev
        .arm
        routine a32_conditional_wfe             // Z: it waits
        nop
        wfeeq
        nop
        svc     #0
        .thumb
        routine t32_conditional_wfe
        nop
        itt     eq
        wfeeq
        moveq   r3, #1
        svc     #0

/* The generic timer, the performance monitors and barriers through CP15. */

        both    counter, mrrc p15, 1, r3, r4, c14
        both    physical_counter, mrrc p15, 0, r3, r4, c14
        both    frequency, mrc p15, 0, r3, c14, c0, 0
        both    set_timer_value, mcr p15, 0, r1, c14, c3, 0
        both    set_timer_control, mcr p15, 0, r1, c14, c3, 1
        both    timer_control, mrc p15, 0, r3, c14, c3, 1
        both    timer_compare, mrrc p15, 3, r3, r4, c14
        both    set_timer_compare, mcrr p15, 3, r1, r2, c14
        both    cycles, mrc p15, 0, r3, c9, c13, 0
        both    all_cycles, mrrc p15, 0, r3, r4, c9
        both    mark, mcr p14, 0, r1, c0, c5, 0
        both    barrier_isb, mcr p15, 0, r1, c7, c5, 4
        both    barrier_dsb, mcr p15, 0, r1, c7, c10, 4
        both    barrier_dmb, mcr p15, 0, r1, c7, c10, 5

/* r0 rounds of 9 instructions in A32, of 10 in T32, and 2 more; memory at r1. */

        .arm
        routine a32_work
        mov     r3, #0
1:      str     r0, [r1]
        ldr     r2, [r1]
        add     r3, r3, r2
        tst     r0, #1
        addne   r3, r3, #1
        addeq   r3, r3, r3
        eor     r3, r3, r3, lsr #7
        subs    r0, r0, #1
        bne     1b
        svc     #0
        .thumb
        routine t32_work
        movs    r3, #0
1:      str     r0, [r1]
        ldr.w   r2, [r1]
        add     r3, r2
        tst     r0, #1
        itte    ne
        addne   r3, #1
        eorne   r3, r3, r3, lsr #7
        addeq   r3, r3
        subs    r0, #1
        bne     1b
        svc     #0

/* An interrupt is waited for: interworking calls for ever, with an IT block in each. */

        .arm
        routine a32_spin
1:      blx     t32_leaf
        b       1b
        .thumb
        .balign 4
t32_leaf:
        cmp     r0, r1
        itee    eq
        addeq   r2, #1
        addne   r2, #2
        addne   r4, r4, #3
        bx      lr

/* r1 times, one is added to the word or double word at r0, and in r3 to what other CPUs do not have. */

        .arm
        routine a32_add_word
1:      ldrex   r4, [r0]
        add     r4, r4, #1
        strex   r5, r4, [r0]
        cmp     r5, #0
        bne     1b
        subs    r1, r1, #1
        bne     1b
        svc     #0
        .thumb
        routine t32_add_double
1:      ldrexd  r4, r5, [r0]
        adds    r4, #1
        adc     r5, r5, #0
        add     r5, r4
        sub     r5, r4
        strexd  r6, r4, r5, [r0]
        cmp     r6, #0
        bne     1b
        subs    r1, #1
        bne     1b
        svc     #0
        routine t32_add_byte
1:      ldaexb  r4, [r0]
        adds    r4, #1
        stlexb  r5, r4, [r0]
        cmp     r5, #0
        bne     1b
        subs    r1, #1
        bne     1b
        svc     #0

/*
 * Store buffering (Arm ARM K11.2), r1 rounds: this CPU stores 1 to [r0] and reads [r2], the other the other way round. What
 * was read goes to [r6]. After each round both meet: [r7] is how far this CPU is, [r8] the other.
 */
        .macro  store_buffering set, name, store, barrier, load
        .\set
        routine \name
        mov     r9, #0
        mov     r10, #1
1:      \store   r10, [r0]
        \barrier
        \load    r11, [r2]
        str     r11, [r6], #4
        add     r0, r0, #64
        add     r2, r2, #64
        add     r9, r9, #1
        str     r9, [r7]
        movw    r12, #2000
2:      ldr     r11, [r8]
        cmp     r11, r9
        bhs     3f
        subs    r12, r12, #1
        bne     2b
        yield
        b       2b
3:      subs    r1, r1, #1
        bne     1b
        svc     #0
        .endm
        store_buffering arm, a32_sb_none, str, nop, ldr
        store_buffering arm, a32_sb_dmb, str, "dmb ish", ldr
        store_buffering arm, a32_sb_cp15, str, "mcr p15, 0, r1, c7, c10, 5", ldr
        store_buffering arm, a32_sb_release, stl, nop, lda
        store_buffering thumb, t32_sb_dmb, str, "dmb ish", ldr
        store_buffering thumb, t32_sb_release, stl, nop, lda
