/*
 * Straight lines, longer than one translated block may be, which load from and store to pages that other CPUs want in
 * between: a block that is left there and gone on with later must end where it would have ended. The counter, which is
 * read at both ends, tells where blocks began.
 *
 * All take a0, a page that others write to, a1, a page that others read, and a2, where what was computed goes; they
 * return the counter's difference. Most instructions have two bytes, and some four bytes lie across a page's end.
 */
    .option norelax
    .text

    .macro begin
    rdtime  a5
    li      a4, 1
    .endm

    .macro end
    rdtime  a3
    sub     a5, a3, a5
    sd      a4, 0(a2)
    mv      a0, a5
    ret
    .endm

    .macro count instructions
    .rept   \instructions
    addi    a4, a4, 3
    .endr
    .endm

/* 900 instructions, of which the 101st is the first that needs the page. */
    .global line_of_loads
    .balign 4096
    .skip   3200
line_of_loads:
    begin
    count   98
    ld      a3, 0(a0)
    xor     a4, a4, a3
    count   198
    ld      a3, 512(a0)
    xor     a4, a4, a3
    c.nop
    .rept   90
    addi    a4, a4, 300                 /* four bytes each, and two bytes beside where they would be aligned */
    .endr
    count   108
    sd      a4, 0(a1)
    count   199
    ld      a3, 496(a0)
    ld      a6, 504(a0)
    xor     a4, a4, a3
    xor     a4, a4, a6
    count   197
    end

/* Atomic instructions are calls of the translator's, and its operations of a block are some thousands at most. */
    .macro atomics page
    amoadd.d    a3, a4, (\page)
    add         a4, a4, a3
    addi        a6, \page, 264
    amoxor.w.aqrl a3, a4, (a6)
    xor         a4, a4, a3
    addi        a6, \page, 776
    amomaxu.d   a3, a4, (a6)
    add         a4, a4, a3
    lr.d        a3, (a6)
    addi        a3, a3, 1
    sc.d        a7, a3, (a6)
    ld          a3, 1027(\page)         /* not aligned */
    sw          a4, 1029(\page)
    lhu         a6, 1031(\page)
    add         a4, a4, a3
    xor         a4, a4, a6
    .endm

    .global line_of_vectors
    .balign 64
line_of_vectors:
    begin
    .rept   24
    atomics a0
    atomics a1
    .endr
    end

/* The same, but the page comes when the buffer of operations is nearly full, and once more behind that. */
    .global line_of_late_vectors
    .balign 64
line_of_late_vectors:
    begin
    .rept   12
    atomics a2
    .endr
    atomics a0
    atomics a1
    .rept   12
    atomics a2
    .endr
    ld      a3, 0(a0)
    xor     a4, a4, a3
    count   400
    end

/* a0: an edge of two pages, across which all of this lies; a1: a value. Returns what was there. */
    .global across_pages
    .balign 64
across_pages:
    ld      a2, -8(a0)
    ld      a3, 0(a0)
    sd      a1, -8(a0)
    sd      a2, 0(a0)
    ld      a4, -3(a0)
    xor     a4, a4, a1
    sd      a4, -5(a0)
    lw      a5, -1(a0)
    sh      a5, -1(a0)
    ld      a6, -7(a0)
    add     a6, a6, a6
    sd      a6, -9(a0)
    lwu     a7, -2(a0)
    sw      a7, -3(a0)
    lhu     t0, -1(a0)
    lh      t1, -1(a0)
    add     t0, t0, t1
    xor     a2, a2, a3
    xor     a2, a2, a4
    xor     a2, a2, a6
    xor     a2, a2, t0
    add     a0, a2, a5
    ret
