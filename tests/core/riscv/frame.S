# What random programs (programs.py) run in. "enter" to "leave" is a page of the guest's own: it loads registers, takes the
# traps that are the guest's, and stores registers at the end. "monitor" is for QEMU alone (oracle.py): in M mode, what the
# hypervisor and its firmware are to the guest, and it writes down what traps come to them.
    .text
    .option norelax

# Offsets in the page behind: programs.py has the same.
    .set X, 0x000
    .set F, 0x100
    .set STATUS, 0x208
    .set SATP, 0x210
    .set START, 0x218
    .set SAVED, 0x220
    .set NEXT, 0x280
    .set END_X, 0x300
    .set END_F, 0x400
    .set END_CSRS, 0x500
    .set TRAPS, 0x600
    .set TRAPS_END, 0xfe0

    .set USERS, 0x40000000
    .set CODE_SIZE, 0x4000

    .global enter
enter:
    auipc t0, 1
    csrw sscratch, t0
    la t1, handler
    csrw stvec, t1
    addi t1, t0, TRAPS
    sd t1, NEXT(t0)
    li t1, -1
    csrw 0x14d, t1
    li t1, 0x6000
    csrs sstatus, t1
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld f\n, F+8*\n(t0)
    .endr
    ld t1, 0x200(t0)
    csrw fcsr, t1
    ld t1, STATUS(t0)
    csrw sstatus, t1
    ld t1, START(t0)
    csrw sepc, t1
    ld t1, SATP(t0)
    csrw satp, t1
    sfence.vma
    .irp n, 1,2,3,4,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld x\n, X+8*\n(t0)
    .endr
    ld t0, X+8*5(t0)
    sret

    .balign 64
handler:
    j 1f
    j 1f                        # vectored: software
1:  csrrw t0, sscratch, t0
    sd t1, SAVED(t0)
    sd t2, SAVED+8(t0)
    sd t3, SAVED+16(t0)
    csrr t1, sscratch
    sd t1, SAVED+24(t0)
    csrw sscratch, t0
    ld t1, NEXT(t0)
    csrr t3, scause
    sd t3, 0(t1)
    csrr t2, sepc
    sd t2, 8(t1)
    csrr t2, stval
    sd t2, 16(t1)
    csrr t2, sstatus
    li t3, 0xc6122              # without XS and SD: a program may read it
    and t2, t2, t3
    sd t2, 24(t1)
    csrr t3, scause
    li t2, 3
    bne t3, t2, 1f
    csrw stval, x0              # of a breakpoint: 0 or the address, as it likes
1:  addi t1, t1, 32
    sd t1, NEXT(t0)
    li t2, TRAPS_END
    add t2, t2, t0
    bltu t1, t2, 2f
    ecall                       # too many
2:  bgez t3, 3f
    csrci sip, 2
    j restore
3:  csrr t2, sepc
    li t1, 12
    beq t3, t1, recover
    li t1, USERS
    not t1, t1
    and t2, t2, t1              # the instruction, as S mode has it
    auipc t1, 0
    srli t1, t1, 12
    slli t1, t1, 12
    sub t1, t1, t2
    addi t1, t1, -1             # distance to the end of the code
    srli t1, t1, 14
    bnez t1, recover
    lhu t1, 0(t2)
    andi t1, t1, 3
    addi t1, t1, -3
    beqz t1, 4f
    addi t2, t2, -2
4:  addi t2, t2, 4
    li t1, 8
    beq t3, t1, 5f
    csrr t1, sepc
    srli t1, t1, 30
    andi t1, t1, 1
    slli t1, t1, 30
    or t2, t2, t1
    csrw sepc, t2
    j restore
5:  csrw sepc, t2               # a call from U mode returns to S mode
    li t1, 0x100
    csrs sstatus, t1
    j restore
recover:
    li t1, USERS
    not t2, t1
    and t2, s11, t2
    csrr t3, sstatus
    andi t3, t3, 0x100
    bnez t3, 6f
    csrr t3, satp
    beqz t3, 6f
    or t2, t2, t1
6:  csrw sepc, t2
restore:
    ld t1, SAVED(t0)
    ld t2, SAVED+8(t0)
    ld t3, SAVED+16(t0)
    ld t0, SAVED+24(t0)
    sret

    .balign 64
    .global leave
leave:
    csrrw t0, sscratch, t0
    .irp n, 1,2,3,4,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd x\n, END_X+8*\n(t0)
    .endr
    csrr t1, sscratch
    sd t1, END_X+8*5(t0)
    csrr t1, sstatus
    sd t1, END_CSRS(t0)
    li t1, 0x6000
    csrs sstatus, t1
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd f\n, END_F+8*\n(t0)
    .endr
    .set at, END_CSRS+8
    .irp csr, fcsr, scause, sepc, stval, stvec, scounteren, 0x10a, satp, sie, sip, 0x14d
    csrr t1, \csr
    sd t1, at(t0)
    .set at, at+8
    .endr
    ecall

# The monitor. Slots: what a program's memory is before, and then after it, and what came to M mode.
    .set BASE, 0x80010000
    .set SIZE, 0x14000
    .set FRAME, BASE+0x4000
    .set SLOTS, 0x81000000
    .set SLOT, 0x15000
    .set ROOT, 0x80900000
    .set MTIME, 0x0200bff8
    .set MTIMECMP, 0x02004000
    .set PATIENCE, 20000000     # of 10 MHz

    .balign 4096
    .global monitor
monitor:
    csrr t0, mhartid            # there are two, so that atomic operations are atomic ones
1:  beqz t0, 2f
    wfi
    j 1b
2:
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 0xb108
    csrw medeleg, t0
    csrw 0x602, t0              # hedeleg: 3, 8, 12, 13, 15
    li t0, 0x444
    csrw 0x603, t0              # hideleg
    li t0, 0x1666
    csrw mideleg, t0
    li t0, -1
    csrw mcounteren, t0
    li t0, 2
    csrw 0x606, t0              # hcounteren
    li t0, 0xc0000000000000f0
    csrw 0x30a, t0
    csrw 0x60a, t0              # menvcfg, henvcfg
    li t0, 8 << 60 | ROOT >> 12
    csrw 0x680, t0              # hgatp
    .insn r 0x73, 0, 0x31, x0, x0, x0 # hfence.gvma
    la t0, came
    csrw mtvec, t0
    li t0, 0x80
    csrw mie, t0
    li s0, SLOTS
    ld s1, 0(s0)                # how many
    li t0, 0x1000
    add s0, s0, t0
next:
    beqz s1, done
    addi s1, s1, -1
    mv a0, s0
    li a1, BASE
    li a2, SIZE
    call copy
    li t0, SIZE
    add t0, t0, s0
    la t1, context
    sd s0, 0(t1)
    sd s1, 8(t1)
    addi t2, t0, 64
    sd t2, 16(t1)               # where the next trap is written down
    csrw mscratch, t1
    csrw 0x280, x0              # vsatp
    csrw 0x204, x0              # vsie
    csrw 0x644, x0              # hip
    csrw 0x645, x0              # hvip
    csrw 0x241, x0              # vsepc, vscause, vstval
    csrw 0x242, x0
    csrw 0x243, x0
    csrw 0x10a, x0
    li t0, 7
    csrw scounteren, t0
    li t0, 0x200006000          # UXL, FS
    csrw 0x200, t0              # vsstatus
    .insn r 0x73, 0, 0x31, x0, x0, x0
    .insn r 0x73, 0, 0x11, x0, x0, x0 # hfence.vvma
    fence.i
    li t0, MTIME
    ld t1, 0(t0)
    li t2, PATIENCE
    add t1, t1, t2
    li t0, MTIMECMP
    sd t1, 0(t0)
    li t0, FRAME
    csrw mepc, t0
    li t0, 0x8000006800         # MPV, FS, MPP
    csrw mstatus, t0
    mret

copy:                           # a2 bytes from a0 to a1
    ld t0, 0(a0)
    ld t1, 8(a0)
    ld t2, 16(a0)
    ld t3, 24(a0)
    sd t0, 0(a1)
    sd t1, 8(a1)
    sd t2, 16(a1)
    sd t3, 24(a1)
    addi a0, a0, 32
    addi a1, a1, 32
    addi a2, a2, -32
    bnez a2, copy
    ret

    .balign 4
came:
    csrrw t0, mscratch, t0
    sd t1, 24(t0)
    sd t2, 32(t0)
    sd t3, 40(t0)
    csrr t3, mcause
    bltz t3, over               # nothing but the time that is over
    ld t1, 16(t0)
    sd t3, 0(t1)
    csrr t2, mepc
    sd t2, 8(t1)
    csrr t2, mtval
    sd t2, 16(t1)
    csrr t2, 0x34b              # mtval2
    sd t2, 24(t1)
    csrr t2, 0x34a              # mtinst
    sd t2, 32(t1)
    csrr t2, mstatus
    sd t2, 40(t1)
    addi t1, t1, 64
    sd t1, 16(t0)
    slli t1, t1, 52
    srli t1, t1, 52
    beqz t1, over               # a page of them
    li t1, 10
    beq t3, t1, call_
    li t1, 2
    beq t3, t1, instruction
    li t1, 22
    beq t3, t1, instruction
    li t1, USERS
    not t2, t1
    and t2, s11, t2
    csrr t3, mstatus
    srli t3, t3, 11
    andi t3, t3, 1
    bnez t3, 1f
    csrr t3, 0x280
    beqz t3, 1f
    or t2, t2, t1
1:  csrw mepc, t2
    j back
call_:
    csrr t2, mepc
    li t1, FRAME
    sub t1, t2, t1
    srli t1, t1, 12
    beqz t1, over
    addi t2, t2, 4
    csrw mepc, t2
    j back
instruction:
    csrr t1, mtval
    csrr t2, mepc
    andi t1, t1, 3
    addi t1, t1, -3
    beqz t1, 2f
    addi t2, t2, -2
2:  addi t2, t2, 4
    csrw mepc, t2
back:
    ld t1, 24(t0)
    ld t2, 32(t0)
    ld t3, 40(t0)
    csrrw t0, mscratch, t0
    mret

over:
    ld s0, 0(t0)
    ld s1, 8(t0)
    ld t1, 16(t0)
    li t2, SIZE
    add t2, t2, s0
    sd t1, 0(t2)                # the end of what is written down
    sd t3, 8(t2)                # 10, unless it did not come to an end
    li a0, BASE
    mv a1, s0
    li a2, SIZE
    call copy
    li t0, SLOT
    add s0, s0, t0
    j next

done:
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
    j .

    .balign 8
context:
    .zero 64
