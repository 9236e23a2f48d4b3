/*
 * Guest code of the start-up self-test (litmus.py). `python -m tests.core.assemble` writes selftest_code.py from it.
 *
 * Every routine starts with a0 = number of this CPU (0 or 1), a1 = its block of shared memory, a2 = rounds, s0 = how long
 * to wait for the other at a stretch, a power of two less one, s10 = what satp and s11 = what stvec is set to where it
 * is, and all else 0. It ends with ECALL, a7 = 0 and s1 = the errors that it saw. ECALL with another a7 asks for
 * something (testbed.py): 1 the host's CPU is given to another, 2 every CPU forgets code, 3 every CPU forgets the
 * translation of the page at a3, 4 every CPU forgets all translations.
 *
 * A block: +0 both CPUs' start flags; +64 the value; +128 a lock; +192 what the lock guards; +256, +320 a word of each
 * CPU that the other reads.
 *
 * Instructions are compressed where the assembler can, but for `full`.
 */
        .option norelax

        .macro  routine name
        .balign 16
        .global \name
\name:
        .endm

        .macro  full instruction:vararg         # of 4 bytes
        .option push
        .option norvc
        \instruction
        .option pop
        .endm

        .macro  ask what
        li      a7, \what
        ecall
        .endm

        .macro  finish
        ask     0
        .endm

        .macro  give_way        # in a loop that waits: at times, as s0 says, in case that the other has no host CPU
        addi    t6, t6, 1
        and     t5, t6, s0
        bnez    t5, .Lgo_on\@
        ask     1
.Lgo_on\@:
        .endm

        .macro  together        # both CPUs start their rounds at the same time; t0 = address of the value
        slli    t0, a0, 2
        add     t0, t0, a1
        li      t1, 1
        sw      t1, (t0)
        fence   rw, rw
        slli    t2, t1, 32
        or      t2, t2, t1
.Lwait\@:
        ld      t1, (a1)
        beq     t1, t2, .Lboth\@
        give_way
        j       .Lwait\@
.Lboth\@:
        addi    t0, a1, 64
        .endm

        .macro  expect_equal a, b       # an error unless they are
        xor     t5, \a, \b
        snez    t5, t5
        add     s1, s1, t5
        .endm

        .macro  again label
        addi    a2, a2, -1
        bnez    a2, \label
        finish
        .endm

/* Counters: as many increments as rounds, whatever the other does. */

        .macro  reserved_counter name, load, store
        routine \name
        together
1:      \load   t1, (t0)
        addi    t1, t1, 1
        \store  t2, t1, (t0)
        bnez    t2, 1b
        again   1b
        .endm
        reserved_counter count_lr_w, lr.w, sc.w
        reserved_counter count_lr_d, lr.d, sc.d
        reserved_counter count_lr_aq, lr.d.aq, sc.d.rl
        reserved_counter count_lr_aqrl, lr.w.aqrl, sc.w.aqrl

        routine count_amoadd
        together
        li      t2, 1
1:      amoadd.d t1, t2, (t0)
        amoadd.w.aqrl t1, t2, (t0)
        again   1b

        routine count_cas               # a compare-and-swap, as compilers make it
        together
        ld      t1, (t0)
1:      addi    t2, t1, 1
2:      lr.d.aqrl t3, (t0)
        bne     t3, t1, 3f
        sc.d.rl t4, t2, (t0)
        bnez    t4, 2b
        mv      t1, t2
        again   1b
3:      mv      t1, t3
        j       1b

/* Each CPU puts numbers that nobody else puts: what both have taken out, and what is left, is what was put in. */

        routine exchange
        together
        mv      t1, a0                  # even numbers, or odd ones
1:      addi    t1, t1, 2
        amoswap.d.aqrl t2, t1, (t0)
        add     t3, t3, t2
        addi    a2, a2, -1
        bnez    a2, 1b
        slli    t1, a0, 3
        add     t1, t1, a1
        sd      t3, 256(t1)
        finish

/* Locks: what they guard is counted with plain loads and stores. */

        .macro  guarded
        ld      a5, 192(a1)
        addi    a5, a5, 1
        sd      a5, 192(a1)
        .endm

        routine lock_amoswap
        together
        addi    t0, a1, 128
        li      t1, 1
1:      amoswap.w.aq t2, t1, (t0)
        beqz    t2, 2f
        give_way
        j       1b
2:      guarded
        amoswap.w.rl zero, zero, (t0)
        again   1b

        routine lock_lr
        together
        addi    t0, a1, 128
        li      t1, 1
1:      lr.w.aq t2, (t0)
        bnez    t2, 3f
        sc.w    t2, t1, (t0)
        beqz    t2, 2f
3:      give_way
        j       1b
2:      guarded
        fence   rw, w
        sw      zero, (t0)
        again   1b

/* Each CPU sets, clears and flips its own bit of one word, and always finds it as it left it. */

        .macro  find operation, operand, there
        \operation t3, \operand, (t0)
        and     t3, t3, t1
        .ifc    \there, yes
        xor     t3, t3, t1
        .endif
        snez    t3, t3
        add     s1, s1, t3
        .endm

        routine bits
        together
        li      t1, 0x100
        sll     t1, t1, a0
        not     t2, t1
1:      find    amoor.w, t1, no
        find    amoand.w.aqrl, t2, yes
        find    amoxor.w, t1, no
        find    amoxor.w.aqrl, t1, yes
        again   1b

/* Each CPU goes one beyond what it saw: what it sees never falls back behind what it put there. */

        .macro  race name, operation, step, behind
        routine \name
        together
        ld      t3, (t0)
1:      addi    t1, t3, \step
        \operation t2, t1, (t0)
        \behind t2, t3, 2f
        j       3f
2:      addi    s1, s1, 1
3:      mv      t3, t2
        \behind t1, t2, 4f
        mv      t3, t1
4:      again   1b
        .endm
        race    race_amomaxu, amomaxu.d, 1, bltu
        race    race_amomax, amomax.d, 1, blt
        race    race_amominu, amominu.d, -1, bgtu
        race    race_amomin, amomin.d, -1, bgt

/*
 * Store buffering: each CPU stores to its own word and loads the other's; not both may find the old value. a3 = own
 * words, a4 = the other's, a cache line each; a5: a byte a round, a bit for each word that was found old; a6: memory, a
 * store to each line of which takes its time.
 */

        .macro  plain_store at
        sd      s4, \at(a3)
        .endm
        .macro  plain_load at
        ld      t1, \at(a4)
        .endm
        .macro  release at
        addi    t4, a3, \at
        amoswap.d.rl zero, s4, (t4)
        .endm
        .macro  acquire at
        addi    t4, a4, \at
        lr.d.aq t1, (t4)
        .endm

        .macro  store_buffering name, store, barrier, load
        routine \name
        together
        slli    s2, a0, 6
        add     s2, s2, a1
        xori    s3, a0, 1
        slli    s3, s3, 6
        add     s3, s3, a1
        li      s7, 0x3ffff
        li      s8, 0x1040
1:      addi    s4, s4, 1
        li      s5, 0
        sd      s4, 256(s2)
2:      ld      t1, 256(s3)
        bgeu    t1, s4, 3f
        give_way
        j       2b
3:      andi    t1, s4, 127             # the lead of either CPU over the other: any
        beqz    a0, 4f
        li      t1, 64
4:      addi    t1, t1, -1
        bgez    t1, 4b
        .set    .Ln, 0
        .rept   8
        .rept   4
        add     s6, s6, s8
        and     s6, s6, s7
        add     t3, a6, s6
        sd      s4, (t3)
        .endr
        \store  (.Ln * 64)
        \barrier
        \load   (.Ln * 64)
        sltu    t1, t1, s4
        slli    t1, t1, .Ln
        or      s5, s5, t1
        .set    .Ln, .Ln + 1
        .endr
        sb      s5, (a5)
        addi    a5, a5, 1
        again   1b
        .endm
        store_buffering order_none, plain_store, , plain_load
        store_buffering order_fence, plain_store, "fence rw, rw", plain_load
        store_buffering order_annotated, release, , acquire

/* Message passing: what a CPU wrote before it told the other is there when that has heard of it. a3, a4: as above. */

        routine pass
        together
        bnez    a0, 2f
1:      addi    s4, s4, 1               # the writer
        sd      s4, (a3)
        fence   w, w
        sd      s4, 64(a3)
        sd      s4, 128(a3)
        fence.tso
        sd      s4, 192(a3)
        again   1b
2:      ld      t1, 64(a4)              # the reader
        fence   r, r
        ld      t2, (a4)
        sltu    t2, t2, t1
        add     s1, s1, t2
        ld      t1, 192(a4)
        fence   r, r
        ld      t2, 128(a4)
        sltu    t2, t2, t1
        add     s1, s1, t2
        bltu    t1, a2, 3f
        finish
3:      give_way
        j       2b

/*
 * Every operation on every size, alone. a1: pairs of what is in memory and the operand; a2: how many; a3: the results,
 * pairs of the register and the memory after; a4: a double word of memory.
 */

        .macro  value operation, size
        routine value_\operation\()_\size
1:      ld      t1, (a1)
        ld      t2, 8(a1)
        addi    a1, a1, 16
        sd      t1, (a4)
        \operation\().\size t3, t2, (a4)
        ld      t4, (a4)
        sd      t3, (a3)
        sd      t4, 8(a3)
        addi    a3, a3, 16
        again   1b
        .endm
        .irp    operation, amoadd, amoand, amoor, amoxor, amomax, amomin, amomaxu, amominu, amoswap
        value   \operation, w
        value   \operation, d
        .endr

/* 5 instructions, then 12 in an even round and 13 in an odd one, counted down from a2. */

        routine instructions
        addi    t0, a1, 64
        li      a4, 0
        j       1f
1:      addi    a4, a4, 1
        ld      t2, 64(t0)
        full    sd t2, 72(t0)
        jal     t4, 3f
        andi    a3, a2, 1
        beqz    a3, 2f
        nop
2:      addi    a2, a2, -1
        bnez    a2, 1b
        finish                          # 2 of the 5
3:      lr.d    t2, (t0)
        addi    t2, t2, 1
        sc.d    t3, t2, (t0)
        jr      t4

        .macro  translate
        csrw    stvec, s11
        csrw    satp, s10
        sfence.vma
        .endm

/*
 * Exceptions that the guest handles: 3 instructions, then 4 a round and 42 in the handler, then 2. Nothing is mapped at
 * 0, where s1 points as long as there are no errors. s3: the sum of the causes, 32 a round.
 */

        routine traps
        translate
1:      addi    a3, a3, 1
        c.ebreak
        addi    a4, a3, 0x123
        full    ebreak
        full    ld a5, (zero)
        c.ld    a5, (s1)
        again   1b

        routine skip            # 10 instructions, 11 where a longer one is skipped
        csrr    t3, scause
        add     s3, s3, t3
        csrr    t3, sepc
        lbu     t4, (t3)
        addi    t3, t3, 2
        andi    t4, t4, 3
        addi    t4, t4, -3
        bnez    t4, 1f
        addi    t3, t3, 2
1:      csrw    sepc, t3
        sret

        routine stop            # a handler that leaves what it was told to whoever asks: s2, s3, s4
        csrr    s2, scause
        csrr    s3, sepc
        csrr    s4, stval
        finish

/*
 * One exception each, at \name_at, after as many instructions as testbed.py says of all of these. a3: an address.
 */

        .macro  trap name, instruction:vararg
        routine trap_\name
        translate
        c.addi  a5, 1
        full    nop
        c.addi  a5, 1
        .global trap_\name\()_at
trap_\name\()_at:
        \instruction
        finish
        .endm
        trap    c_ebreak, c.ebreak
        trap    ebreak, full ebreak
        trap    load, full ld a4, (a3)
        trap    c_load, c.ld a4, (a3)
        trap    store, full sd a4, (a3)
        trap    c_store, c.sw a4, (a3)
        trap    flw, flw ft0, (a3)
        trap    amo, amoadd.w a4, a5, (a3)
        trap    lr, lr.d a4, (a3)
        trap    jump, jr a3
        trap    cycle, csrr a4, cycle
        trap    unknown, csrr a4, 0x123
        trap    machine, csrr a4, mstatus
        trap    illegal, .4byte 0xffffffff
        trap    c_illegal, .2byte 0
        trap    wfi, wfi

        routine user            # sret to a3 in U mode
        translate
        csrw    sepc, a3
        sret

        routine user_ecall
        c.addi  a5, 1
        ecall

/* What is enabled and pending is taken in the order of the architecture: SSI, then STI. */

        routine interrupts
        csrw    stvec, s11
        csrw    stimecmp, zero
        csrsi   sip, 2
        li      t1, 0x22
        csrw    sie, t1
        .global interrupts_enable
interrupts_enable:
        csrsi   sstatus, 2
        nop
        finish

/*
 * Whatever is done twice or not at all when a stop falls on it. a3: a ring of pointers, followed by 4 steps a round; a4:
 * a UART, sent the low byte of the round's number; the value: counted by plain and by atomic operations.
 */

        routine accesses
        addi    t0, a1, 64
        li      t1, 1
        li      a5, 0
1:      ld      a3, (a3)
        full    ld a3, (a3)
        sb      a5, (a4)
        ld      t2, (t0)
        addi    t2, t2, 1
        sd      t2, (t0)
        amoadd.d t2, t1, (t0)
        ld      a3, (a3)
        addi    a5, a5, 1
2:      lr.d    t2, (t0)
        addi    t2, t2, 1
        sc.d    t3, t2, (t0)
        bnez    t3, 2b
        ld      a3, (a3)
        again   1b

/* Atomic accesses to a device at a1. */

        .macro  device name, instruction:vararg
        routine device_\name
        nop
        \instruction
        finish
        .endm
        device  amoadd, amoadd.d t1, t2, (a1)
        device  amoswap, amoswap.w t1, t2, (a1)
        device  amomax, amomax.w t1, t2, (a1)

/* This CPU changes code through another address than it runs at: the function at a3 returns a number in t1. */

        .macro  new_number      # of 5 bits, that of t1, through a4: C.LI t1
        slli    t1, t1, 2
        li      t2, 0x4301
        or      t2, t2, t1
        sh      t2, (a4)
        .endm

        routine patch
        translate
1:      andi    t1, a2, 31
        new_number
        fence.i
        jalr    a3
        andi    t2, a2, 31
        expect_equal t1, t2
        again   1b

/*
 * The same with the function run by the other CPU: it is told the value at +256, and answers at +320. This CPU runs other
 * code of the same page, at a5. s2: 0 the runner has a FENCE.I of its own, 1 the writer asks for everybody's.
 */

        routine patch_writer
        translate
        together
        li      s3, 0
1:      addi    s3, s3, 1
        jalr    a5
        andi    t1, s3, 31
        new_number
        beqz    s2, 2f
        ask     2
2:      fence   w, w
        sd      s3, 256(a1)
3:      ld      t1, 320(a1)
        beq     t1, s3, 4f
        give_way
        j       3b
4:      again   1b

        routine patch_runner
        translate
        together
        li      s3, 0
1:      addi    s3, s3, 1
2:      jalr    a3                      # keep it translated
        ld      t1, 256(a1)
        beq     t1, s3, 3f
        give_way
        j       2b
3:      fence   r, rw
        bnez    s2, 4f
        fence.i
4:      jalr    a3
        andi    t2, s3, 31
        expect_equal t1, t2
        sd      s3, 320(a1)
        again   1b

/*
 * One CPU maps the page at a3 to one of two others in turn: a4 = address of the entry, s2, s3 = entries, a6 = where the
 * first of the pages can be written (the second is 4 KiB on), a5: what is asked for. When that has been done, the page
 * that is no more mapped is made bad; the reader, at +256 with its count of reads, must never see it.
 */

        .macro  reads                   # wait until the other has begun and ended another read
        ld      t2, 256(a1)
        addi    t2, t2, 2
.Lread\@:
        ld      t1, 256(a1)
        bgeu    t1, t2, .Ldone\@
        give_way
        j       .Lread\@
.Ldone\@:
        .endm

        routine remap_writer
        translate
        together
        li      s4, 0x1000
1:      reads
        sd      s3, (a4)
        fence   rw, rw
        mv      a7, a5
        ecall
        li      t1, 1
        sd      t1, (a6)                # bad
        reads
        sd      zero, (a6)              # good
        fence   rw, rw
        mv      t1, s2
        mv      s2, s3
        mv      s3, t1
        add     a6, a6, s4
        neg     s4, s4
        addi    a2, a2, -1
        bnez    a2, 1b
        li      t1, 1
        sd      t1, 320(a1)
        finish

        routine remap_reader
        translate
        together
        li      t3, 0
1:      ld      t1, (a3)
        snez    t1, t1
        add     s1, s1, t1
        addi    t3, t3, 1
        sd      t3, 256(a1)
        ld      t1, 320(a1)
        bnez    t1, 2f
        give_way
        j       1b
2:      finish

/*
 * The same alone: a fence of one address reaches what was read through it, and a fence of another one may leave it. a3:
 * the page's address, a4 = of its entry, s2, s3 = entries, of pages that hold s4 and s5.
 */

        routine fence_page
        translate
1:      ld      t1, (a3)
        expect_equal t1, s4
        sd      s3, (a4)
        sfence.vma a3
        ld      t1, (a3)
        expect_equal t1, s5
        sd      s2, (a4)
        sfence.vma a3, zero
        ld      t1, (a3)
        expect_equal t1, s4
        sd      s3, (a4)
        sfence.vma zero, zero
        ld      t1, (a3)
        expect_equal t1, s5
        sd      s2, (a4)
        sfence.vma a3, a5
        again   1b

/* What SUM says holds from the next load on: a3 = a page of U mode's. An exception adds its cause to s3 (skip). */

        routine sum
        translate
        li      t1, 1 << 18
1:      csrs    sstatus, t1
        ld      t2, (a3)
        csrc    sstatus, t1
        ld      t2, (a3)                # refused
        again   1b
