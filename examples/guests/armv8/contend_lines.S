/*
 * Straight lines, longer than one translated block may be, which load from and store to pages that other CPUs want in
 * between: a block that is left there and gone on with later must end where it would have ended. The counter, which is
 * read at both ends, tells where blocks began.
 *
 * All take x0, a page that others write to, x1, a page that others read, and x2, where what was computed goes; they
 * return the counter's difference.
 */
    .arch armv8-a
    .text

    .macro begin
    isb
    mrs     x9, cntvct_el0
    mov     x12, #1
    .endm

    .macro end
    mrs     x13, cntvct_el0
    sub     x0, x13, x9
    str     x12, [x2]
    ret
    .endm

    .macro count instructions
    .rept   \instructions
    add     x12, x12, #3
    .endr
    .endm

/* 900 instructions, of which the 101st is the first that needs the page. */
    .global line_of_loads
    .balign 64
line_of_loads:
    begin
    count   98
    ldr     x10, [x0]
    eor     x12, x12, x10
    count   198
    ldr     x10, [x0, #512]
    eor     x12, x12, x10
    count   198
    str     x12, [x1]
    count   199
    ldp     x10, x11, [x0, #496]
    eor     x12, x12, x10
    eor     x12, x12, x11
    count   197
    end

/* Each instruction is dozens of the translator's operations, of which a block has some thousands at most. */
    .global line_of_vectors
    .balign 64
line_of_vectors:
    begin
    .rept   24
    ld4     {v0.16b-v3.16b}, [x0]
    st4     {v0.16b-v3.16b}, [x1]
    ld3     {v4.8h-v6.8h}, [x0]
    st3     {v4.8h-v6.8h}, [x1]
    ld2     {v16.4s, v17.4s}, [x0]
    st2     {v16.4s, v17.4s}, [x1]
    ld1     {v20.16b-v23.16b}, [x0]
    st1     {v20.16b-v23.16b}, [x1]
    add     v0.16b, v0.16b, v20.16b
    tbl     v1.16b, {v0.16b-v3.16b}, v21.16b
    umull   v2.8h, v0.8b, v1.8b
    addv    b3, v2.16b
    umov    w10, v3.b[0]
    add     x12, x12, x10
    .endr
    end

/* The same, but the page comes when the buffer of operations is nearly full, and once more behind that. */
    .global line_of_late_vectors
    .balign 64
line_of_late_vectors:
    begin
    .rept   12
    ld4     {v0.16b-v3.16b}, [x2]
    st4     {v0.16b-v3.16b}, [x2]
    .endr
    ld1     {v4.16b-v7.16b}, [x0]
    st1     {v4.16b-v7.16b}, [x1]
    .rept   12
    ld4     {v0.16b-v3.16b}, [x2]
    st4     {v0.16b-v3.16b}, [x2]
    .endr
    ldr     x10, [x0]
    eor     x12, x12, x10
    count   400
    end

/* x0: an edge of two pages, across which all of this lies; x1: a value. Returns what was there. */
    .global across_pages
    .balign 64
across_pages:
    ldp     x3, x4, [x0, #-8]
    stp     x1, x3, [x0, #-8]
    ldur    x5, [x0, #-3]
    eor     x5, x5, x1
    stur    x5, [x0, #-5]
    ldur    w6, [x0, #-1]
    sturh   w6, [x0, #-1]
    ldur    q0, [x0, #-7]
    add     v0.2d, v0.2d, v0.2d
    stur    q0, [x0, #-9]
    ldp     q1, q2, [x0, #-16]
    stp     q2, q1, [x0, #-16]
    sub     x7, x0, #24
    ld3     {v4.16b-v6.16b}, [x7]
    st3     {v4.16b-v6.16b}, [x7]
    sub     x7, x0, #4
    ldr     x8, [x7], #4
    eor     x0, x3, x4
    eor     x0, x0, x5
    eor     x0, x0, x8
    add     x0, x0, x6
    ret
