/*
 * Guest-physical addresses of a RISC-V VM. These are the addresses of QEMU's `virt` board, so that one image runs there without
 * Bao and in a VM whose configuration maps the same.
 */
#ifndef GUEST_ADDRESSES_H
#define GUEST_ADDRESSES_H

#define UART_BASE 0x10000000 /* 16550 */
#define PLIC_BASE 0x0c000000
#define APLIC_BASE 0x0d000000
#define IMSIC_BASE 0x28000000 /* a page for each vCPU */
#define RAM_BASE 0x80200000

#define UART_INTID 10

/* Interrupts that are none of the controller's sources. Those below SOFTWARE_INTIDS are sent from one vCPU to another. */
#define SOFTWARE_INTIDS 10
#define TIMER_INTID 1029

#endif
