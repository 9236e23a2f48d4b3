/*
 * Guest code of the start-up self-test (litmus.py). `python -m tests.core.assemble` writes selftest_code.py from it.
 *
 * Every routine starts with x0 = its block of shared memory, x1 = rounds, x2 = number of this CPU (0 or 1), x18 = how
 * long to wait for the other at a stretch, a power of two less one, and all else 0. It ends with HVC, x8 = 0 and x20 =
 * the errors that it saw. HVC with x8 = 1 asks for the host's CPU to be given to another.
 *
 * A block: +0 both CPUs' start flags; +64 the value; +128 a lock; +192 what the lock guards; +256, +320 a word of each
 * CPU that the other reads.
 */
        .arch   armv8.3-a

        .macro  routine name
        .balign 16
        .global \name
\name:
        .endm

        .macro  finish
        mov     x8, #0
        hvc     #0
        b       .
        .endm

        .macro  give_way        // in a loop that waits: at times, as x18 says, in case that the other has no host CPU
        add     x17, x17, #1
        tst     x17, x18
        b.ne    .Lgo_on\@
        mov     x8, #1
        hvc     #0
.Lgo_on\@:
        .endm

        .macro  together        // both CPUs start their rounds at the same time; x9 = address of the value
        add     x9, x0, x2, lsl #2
        mov     w10, #1
        str     w10, [x9]
        dmb     ish
        mov     x11, #1
        orr     x11, x11, x11, lsl #32
.Lwait\@:
        ldr     x10, [x0]
        cmp     x10, x11
        b.eq    .Lboth\@
        give_way
        b       .Lwait\@
.Lboth\@:
        add     x9, x0, #64
        .endm

        .macro  expect condition        // an error unless the condition holds
        cset    x19, \condition
        eor     x19, x19, #1
        add     x20, x20, x19
        .endm

        .macro  again label
        subs    x1, x1, #1
        b.ne    \label
        finish
        .endm

/* Counters: as many increments as rounds, whatever the other does. */

        .macro  exclusive_counter name, load, store, r
        routine \name
        together
1:      \load   \r\()10, [x9]
        add     x10, x10, #1
        \store  w11, \r\()10, [x9]
        cbnz    w11, 1b
        again   1b
        .endm
        exclusive_counter count_ldxr, ldxr, stxr, x
        exclusive_counter count_ldaxr, ldaxr, stlxr, w

        .macro  pair_counter name, load, store
        routine \name
        together
1:      \load   x10, x11, [x9]
        add     x10, x10, #1
        add     x11, x11, #1
        \store  w12, x10, x11, [x9]
        cbnz    w12, 1b
        again   1b
        .endm
        pair_counter count_ldxp, ldxp, stxp
        pair_counter count_ldaxp, ldaxp, stlxp

        routine count_ldadd
        together
        mov     x10, #1
1:      ldadd   x10, x11, [x9]
        ldaddal w10, w11, [x9]
        again   1b

        routine count_cas
        together
        ldr     x10, [x9]
1:      mov     x11, x10
        add     x12, x10, #1
        casal   x11, x12, [x9]
        cmp     x11, x10
        mov     x10, x11
        b.ne    1b
        again   1b

        routine count_casp
        together
        ldp     x10, x11, [x9]
1:      mov     x14, x10
        mov     x15, x11
        add     x12, x10, #1
        add     x13, x11, #1
        caspal  x10, x11, x12, x13, [x9]
        cmp     x10, x14
        ccmp    x11, x15, #0, eq
        b.ne    1b
        mov     x10, x12
        mov     x11, x13
        again   1b

/* Each CPU puts numbers that nobody else puts: what both have taken out, and what is left, is what was put in. */

        routine exchange
        together
        mov     x10, x2                 // even numbers, or odd ones
1:      add     x10, x10, #2
        swpal   x10, x11, [x9]
        add     x12, x12, x11
        subs    x1, x1, #1
        b.ne    1b
        add     x9, x0, #256
        str     x12, [x9, x2, lsl #3]
        finish

/* Locks: what they guard is counted with plain loads and stores. */

        .macro  guarded
        ldr     x12, [x0, #192]
        add     x12, x12, #1
        str     x12, [x0, #192]
        .endm

        routine lock_swp
        together
        add     x9, x0, #128
        mov     w10, #1
1:      swpa    w10, w11, [x9]
        cbz     w11, 2f
        give_way
        b       1b
2:      guarded
        swpl    wzr, w11, [x9]
        again   1b

        routine lock_ldaxr
        together
        add     x9, x0, #128
        mov     w10, #1
1:      ldaxr   w11, [x9]
        cbnz    w11, 3f
        stxr    w11, w10, [x9]
        cbz     w11, 2f
3:      give_way
        b       1b
2:      guarded
        stlr    wzr, [x9]
        again   1b

/* Each CPU sets, clears and flips its own bit of one word, and always finds it as it left it. */

        routine bits
        together
        mov     w10, #0x100
        lsl     w10, w10, w2
1:      ldset   w10, w11, [x9]
        tst     w11, w10
        expect  eq
        ldclral w10, w11, [x9]
        tst     w11, w10
        expect  ne
        ldeor   w10, w11, [x9]
        tst     w11, w10
        expect  eq
        ldeoral w10, w11, [x9]
        tst     w11, w10
        expect  ne
        again   1b

/* Each CPU goes one beyond what it saw: what it sees never falls back behind what it put there. */

        .macro  race name, operation, step, not_behind
        routine \name
        together
        ldr     x12, [x9]
1:      \step   x10, x12, #1
        \operation x10, x11, [x9]
        cmp     x11, x12
        expect  \not_behind
        cmp     x11, x10
        csel    x12, x11, x10, \not_behind
        again   1b
        .endm
        race    race_ldumax, ldumax, add, hs
        race    race_ldsmax, ldsmax, add, ge
        race    race_ldumin, ldumin, sub, ls
        race    race_ldsmin, ldsmin, sub, le

/*
 * Store buffering: each CPU stores to its own word and loads the other's; not both may find the old value. x3 = own
 * words, x4 = the other's, a cache line each; x5: a byte a round, a bit for each word that was found old.
 */

        .macro  store_buffering name, store, barrier, load
        routine \name
        together
        add     x9, x0, #256
        add     x13, x9, x2, lsl #6
        eor     x14, x2, #1
        add     x14, x9, x14, lsl #6
        mov     x15, #0
1:      add     x15, x15, #1
        mov     w16, #0
        str     x15, [x13]
2:      ldr     x10, [x14]
        cmp     x10, x15
        b.hs    3f
        give_way
        b       2b
3:      and     x10, x15, #127          // the lead of either CPU over the other: any
        mov     x11, #64
        cmp     x2, #0
        csel    x10, x10, x11, eq
4:      subs    x10, x10, #1
        b.pl    4b
        .set    .Ln, 0
        .rept   8
        add     x11, x3, #(.Ln * 64)
        add     x12, x4, #(.Ln * 64)
        .rept   4
        add     x7, x7, #0x1000
        add     x7, x7, #64
        and     x7, x7, #0x3ffff
        str     x15, [x6, x7]
        .endr
        \store  x15, [x11]
        \barrier
        \load   x10, [x12]
        cmp     x10, x15
        cset    w10, lo
        orr     w16, w16, w10, lsl #.Ln
        .set    .Ln, .Ln + 1
        .endr
        strb    w16, [x5], #1
        again   1b
        .endm
        store_buffering order_none, str, , ldr
        store_buffering order_dmb, str, "dmb ish", ldr
        store_buffering order_stlr, stlr, , ldar

/*
 * Every operation on every size, alone. x0: pairs of what is in memory and the operand; x1: how many; x3: the results,
 * pairs of the register and the memory after; x4: a double word of memory.
 */

        .macro  value operation, size, suffix, r
        routine value_\operation\()_\size
1:      ldp     x9, x10, [x0], #16
        str     x9, [x4]
        \operation\suffix \r\()10, \r\()11, [x4]
        ldr     x12, [x4]
        stp     x11, x12, [x3], #16
        again   1b
        .endm
        .irp    operation, ldadd, ldclr, ldeor, ldset, ldsmax, ldsmin, ldumax, ldumin, swp
        value   \operation, b, b, w
        value   \operation, h, h, w
        value   \operation, w, , w
        value   \operation, x, , x
        .endr

        .macro  compare size, suffix, r         // with the memory, but for bit 0 when the operand is odd
        routine value_cas_\size
1:      ldp     x9, x10, [x0], #16
        str     x9, [x4]
        and     x11, x10, #1
        eor     x11, x11, x9
        cas\suffix \r\()11, \r\()10, [x4]
        ldr     x12, [x4]
        stp     x11, x12, [x3], #16
        again   1b
        .endm
        compare b, b, w
        compare h, h, w
        compare w, , w
        compare x, , x

/* 5 instructions, then 11 in an even round and 12 in an odd one, counted down from x1. */

        routine instructions
        add     x9, x0, #64
        mov     x10, #0
        b       1f
1:      add     x10, x10, #1
        ldr     x11, [x9, #64]
        str     x11, [x9, #72]
        bl      3f
        tbz     x1, #0, 2f
        nop
2:      subs    x1, x1, #1
        b.ne    1b
        finish                          // 2 of the 5
3:      ldxr    x11, [x9]
        add     x11, x11, #1
        stxr    w12, x11, [x9]
        ret

/*
 * Whatever is done twice or not at all when a stop falls on it. x3: a ring of pointers, followed by 4 steps a round;
 * x4: a UART, sent the low byte of the round's number; the value: counted by plain and by atomic operations.
 */

        routine accesses
        add     x9, x0, #64
        mov     x10, #1
        mov     x15, #0
1:      ldr     x3, [x3]
        ldr     x3, [x3]
        strb    w15, [x4]
        ldr     x11, [x9]
        add     x11, x11, #1
        str     x11, [x9]
        ldadd   x10, x11, [x9]
        ldr     x3, [x3]
        add     x15, x15, #1
2:      ldxr    x11, [x9]
        add     x11, x11, #1
        stxr    w12, x11, [x9]
        cbnz    w12, 2b
        ldr     x3, [x3]
        again   1b

/* Atomic accesses to a device at x0. */

        .macro  device name, instruction:vararg
        routine device_\name
        \instruction
        finish
        .endm
        device  ldadd, ldadd x9, x10, [x0]
        device  swp, swp w9, w10, [x0]
        device  ldsmax, ldsmaxb w9, w10, [x0]
        device  cas, cas x9, x10, [x0]
        device  casp, casp x10, x11, x12, x13, [x0]
        routine device_stxr
        ldxr    w9, [x0]
        stxr    w10, w9, [x0]
        finish

/* x21 = TTBR0: translation on, 4 KiB pages, 39 bits of address. */

        .macro  translate
        mov     x10, #0xff              // MAIR: normal memory, write-back
        msr     mair_el1, x10
        ldr     x10, =(25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23)
        msr     tcr_el1, x10
        msr     ttbr0_el1, x21
        isb
        mrs     x10, sctlr_el1
        mov     x11, #0x1005            // I, C, M
        orr     x10, x10, x11
        msr     sctlr_el1, x10
        isb
        .endm

        .macro  new_code                // w10 = what the function at x3 returns from now on, written through x4
        mov     w11, #0x52800000        // MOVZ w0
        orr     w11, w11, w10, lsl #5
        str     w11, [x4]
        dc      cvau, x4
        dsb     ish
        ic      ivau, x3
        dsb     ish
        .endm

/* This CPU changes code through another address than it runs at. */

        routine patch
        translate
1:      and     w10, w1, #0xff
        new_code
        isb
        blr     x3
        and     w10, w1, #0xff
        cmp     w0, w10
        expect  eq
        again   1b

/*
 * The same with the function run by the other CPU: it is told the value at +256, and answers at +320. This CPU runs other
 * code of the same page, at x5.
 */

        routine patch_writer
        translate
        together
        mov     x12, #0
        mov     x22, x0
1:      add     x12, x12, #1
        blr     x5
        and     w10, w12, #0xff
        new_code
        str     x12, [x22, #256]
2:      ldr     x10, [x22, #320]
        cmp     x10, x12
        b.eq    3f
        give_way
        b       2b
3:      again   1b

        routine patch_runner
        translate
        together
        mov     x12, #0
        mov     x22, x0
1:      add     x12, x12, #1
2:      blr     x3                      // keep it translated
        ldr     x10, [x22, #256]
        cmp     x10, x12
        b.eq    3f
        give_way
        b       2b
3:      isb
        blr     x3
        and     w10, w12, #0xff
        cmp     w0, w10
        expect  eq
        str     x12, [x22, #320]
        again   1b

/*
 * One CPU maps the page at x3 to one of two others in turn: x4 = address of the descriptor, x5, x6 = descriptors, x7 =
 * where the first of the pages can be written (the second is 4 KiB on), x22: 0 TLBI VAE1IS, 1 VMALLE1IS. When DSB is
 * through, the page that is no more mapped is made bad; the reader, at +256 with its count of reads, must never see it.
 */

        .macro  reads                   // wait until the other has begun and ended another read
        ldr     x11, [x0, #256]
        add     x11, x11, #2
.Lread\@:
        ldr     x10, [x0, #256]
        cmp     x10, x11
        b.hs    .Ldone\@
        give_way
        b       .Lread\@
.Ldone\@:
        .endm

        routine remap_writer
        translate
        together
        lsr     x12, x3, #12
        mov     x13, #0
        mov     x14, #0x1000
1:      reads
        str     x6, [x4]
        dsb     ishst
        cbnz    x22, 2f
        tlbi    vae1is, x12
        b       3f
2:      tlbi    vmalle1is
3:      dsb     ish
        isb
        mov     x10, #1
        str     x10, [x7]               // bad
        reads
        str     xzr, [x7]               // good
        dmb     ish
        mov     x10, x5
        mov     x5, x6
        mov     x6, x10
        add     x7, x7, x14
        neg     x14, x14
        subs    x1, x1, #1
        b.ne    1b
        mov     x10, #1
        str     x10, [x0, #320]
        finish

        routine remap_reader
        translate
        together
        mov     x12, #0
1:      ldr     x10, [x3]
        cmp     x10, #0
        expect  eq
        add     x12, x12, #1
        str     x12, [x0, #256]
        ldr     x10, [x0, #320]
        cbnz    x10, 2f
        give_way
        b       1b
2:      finish
        .ltorg
