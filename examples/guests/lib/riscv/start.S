/*
 * Entry, secondary entry, trap entry and a flat translation table.
 *
 * Entry is in S mode with translation off, as Bao starts a VM: a0 is the number of the hart, a1 the device tree or 0. Unless the
 * guest is built with MMU=0, translation is turned on at once. Nobody sets the bits A and D but software.
 */
#include "board.h"

    .option norvc
    .section .text.start, "ax"
    .global _start
/* Where no tree tells which interrupt controller there is, the place of the entry does: these are four bytes each. */
_start:
    j       1f                          /* as the tree says; without one, APLIC and IMSICs */
    j       entry_plic
    j       entry_aplic                 /* an APLIC that delivers itself */
1:  li      a2, 0
    j       2f
entry_plic:
    li      a2, 1
    j       2f
entry_aplic:
    li      a2, 2
2:  mv      s0, a0
    mv      s1, a1
    mv      s2, a2
    csrw    sie, zero
    bnez    a0, of_another_hart
    j       3f

    /* SBI's hart_start brings a secondary here: a0 is the number of the hart. */
    .global secondary_start
secondary_start:
    mv      s0, a0
3:  csrci   sstatus, 2
    csrw    sie, zero
    la      t0, trap
    csrw    stvec, t0
#if MMU
    la      t0, translation_table
    srli    t0, t0, 12
    li      t1, 8 << 60                 /* Sv39 */
    or      t0, t0, t1
    csrw    satp, t0
    sfence.vma
#endif
    mv      tp, s0                      /* this_cpu() */
    la      sp, stacks
    li      t0, STACK_SIZE
    addi    t1, s0, 1
    mul     t0, t0, t1
    add     sp, sp, t0
    li      s3, 0
    li      ra, 0
    bnez    s0, 5f
    la      t0, bss_start
    la      t1, bss_end
4:  bgeu    t0, t1, 5f
    sd      zero, 0(t0)
    addi    t0, t0, 8
    j       4b
5:  mv      a0, s0
    mv      a1, s1
    mv      a2, s2
    call    riscv_start
6:  wfi
    j       6b

/*
 * Firmware without Bao may have any hart begin. It starts hart 0, at the entry that it came from and with the tree, and stops.
 */
of_another_hart:
    la      a1, _start
    slli    t0, s2, 2
    add     a1, a1, t0
    li      a0, 0
    mv      a2, s1
    li      a6, 0
    li      a7, 0x48534d
    ecall
    li      a6, 1
    ecall
7:  wfi
    j       7b

/* The frame of a trap: struct frame of arch.h. */
    .macro  all operation
    .irp    n, 1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    \operation x\n, 8*\n(sp)
    .endr
    .endm

    .text
    .balign 4
trap:
    addi    sp, sp, -272
    all     sd
    csrr    t0, sepc
    csrr    t1, sstatus
    sd      t0, 0(sp)
    sd      t1, 256(sp)
    mv      a0, sp
    csrr    a1, scause
    csrr    a2, stval
    call    guest_trap
    ld      t0, 0(sp)
    ld      t1, 256(sp)
    csrw    sepc, t0
    csrw    sstatus, t1
    all     ld
    addi    sp, sp, 272
    sret

/*
 * The root table: leaves of 1 GiB, of which the first four are as they are. RAM's gigabyte is there again at 7 GiB, which
 * `misbehave` needs; RAM goes on to 6 GiB.
 */
#define LEAF 0xcf                       /* D, A, X, W, R, V */
    .data
    .balign 4096
    .global translation_table
translation_table:
    .quad   (0x00000000 >> 2) | LEAF
    .quad   (0x40000000 >> 2) | LEAF
    .quad   (0x80000000 >> 2) | LEAF
    .quad   (0xc0000000 >> 2) | LEAF
    .quad   (0x100000000 >> 2) | LEAF
    .quad   (0x140000000 >> 2) | LEAF
    .quad   0
    .quad   (0x80000000 >> 2) | LEAF
    .fill   504, 8, 0

    .section .stacks, "aw", %nobits
    .balign 16
stacks:
    .space  STACK_SIZE * MAX_CPUS
