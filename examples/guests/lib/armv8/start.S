/*
 * Entry, secondary entry, exception vectors and a flat translation table.
 *
 * Entry is at EL1 with the MMU off, as Bao starts a VM. Unless the guest is built with MMU=0, the MMU and the caches are
 * turned on at once: exclusives and atomics are architecturally valid on cacheable memory only. The table is constant
 * data, so nothing is written before the caches are on that would be read after.
 */
#include "board.h"

    .section .text.start, "ax"
    .global _start
_start:
    mov     x19, #0
    mov     x20, x0                     /* the device tree, if there is one */
    b       1f

    /* PSCI CPU_ON starts a secondary here with the number of the vCPU in x0. */
    .global secondary_start
secondary_start:
    mov     x19, x0
1:  msr     daifset, #0xf
    adr     x0, vectors
    msr     vbar_el1, x0
    mov     x0, #(3 << 20)              /* CPACR_EL1.FPEN: do not trap FP and SIMD */
    msr     cpacr_el1, x0
#if MMU
    ldr     x0, =0x0044ff04             /* MAIR: 0 Device-nGnRE, 1 Normal write-back, 2 Normal non-cacheable */
    msr     mair_el1, x0
    ldr     x0, =0x000000020080351c     /* TCR: T0SZ 28, TTBR0 walks WBWA inner shareable, 4 KiB, EPD1, IPS 40 bits */
    msr     tcr_el1, x0
    adrp    x0, translation_table
    add     x0, x0, :lo12:translation_table
    msr     ttbr0_el1, x0
    dsb     ish
    tlbi    vmalle1
    dsb     nsh
    ic      iallu
    dsb     nsh
    isb
    ldr     x0, =0x30d0180d             /* SCTLR: RES1 bits, I, SA, C, M */
    msr     sctlr_el1, x0
    isb
#endif
    adrp    x0, stacks
    add     x0, x0, :lo12:stacks
    mov     x1, #STACK_SIZE
    add     x2, x19, #1
    madd    x0, x1, x2, x0
    mov     sp, x0
    mov     x29, #0
    mov     x30, #0
    cbnz    x19, 3f
    adrp    x0, bss_start
    add     x0, x0, :lo12:bss_start
    adrp    x1, bss_end
    add     x1, x1, :lo12:bss_end
2:  cmp     x0, x1
    b.hs    3f
    stp     xzr, xzr, [x0], #16
    b       2b
3:  mov     x0, x19
    mov     x1, x20
    bl      guest_start
4:  wfi
    b       4b
    .ltorg

/* The frame of an exception: x0..x30 and ELR, SPSR (struct frame of guest.h). */
    .macro  save
    sub     sp, sp, #176
    stp     x0, x1, [sp, #0]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x30, [sp, #144]
    mrs     x0, elr_el1
    mrs     x1, spsr_el1
    stp     x0, x1, [sp, #160]
    .endm

    .macro  restore_and_return
    ldp     x0, x1, [sp, #160]
    msr     elr_el1, x0
    msr     spsr_el1, x1
    ldp     x18, x30, [sp, #144]
    ldp     x16, x17, [sp, #128]
    ldp     x14, x15, [sp, #112]
    ldp     x12, x13, [sp, #96]
    ldp     x10, x11, [sp, #80]
    ldp     x8, x9, [sp, #64]
    ldp     x6, x7, [sp, #48]
    ldp     x4, x5, [sp, #32]
    ldp     x2, x3, [sp, #16]
    ldp     x0, x1, [sp, #0]
    add     sp, sp, #176
    eret
    .endm

    .macro  unexpected number
    .balign 128
    save
    mov     x1, #\number
    b       stop
    .endm

    .text
    .balign 2048
vectors:
    unexpected 0
    unexpected 1
    unexpected 2
    unexpected 3
    .balign 128
    save
    b       synchronous
    .balign 128
    save
    b       interrupt
    unexpected 6
    unexpected 7
    unexpected 8
    unexpected 9
    unexpected 10
    unexpected 11
    unexpected 12
    unexpected 13
    unexpected 14
    unexpected 15

synchronous:
    mov     x0, sp
    bl      guest_synchronous
    restore_and_return
interrupt:
    bl      guest_interrupt
    restore_and_return
stop:
    mov     x0, sp
    bl      guest_unexpected
5:  wfi
    b       5b

/*
 * The first-level table: blocks of 1 GiB of a 36-bit address space. Beside the flat map there are two views that
 * `misbehave` needs: RAM's gigabyte again at 5 GiB, and the devices' gigabyte as Normal memory at 8 GiB.
 */
#define DEVICE_BLOCK ((3 << 53) | (1 << 10) | (0 << 2) | 1)
#define NORMAL_BLOCK ((1 << 10) | (3 << 8) | (1 << 2) | 1)
#define UNCACHED_BLOCK ((3 << 53) | (1 << 10) | (3 << 8) | (2 << 2) | 1)
    .data
    .balign 512
    .global translation_table
translation_table:
    .quad   0x00000000 | DEVICE_BLOCK
    .quad   0x40000000 | NORMAL_BLOCK
    .quad   0x80000000 | NORMAL_BLOCK
    .quad   0xc0000000 | NORMAL_BLOCK
    .quad   0
    .quad   0x40000000 | NORMAL_BLOCK
    .quad   0, 0
    .quad   0x00000000 | UNCACHED_BLOCK
    .fill   55, 8, 0

    .section .stacks, "aw", %nobits
    .balign 16
stacks:
    .space  STACK_SIZE * MAX_CPUS
