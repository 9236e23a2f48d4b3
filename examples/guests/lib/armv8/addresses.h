/*
 * Guest-physical addresses (IPAs) of an Armv8 VM. These are the addresses of QEMU's `virt` board, so that one image runs there
 * without a hypervisor and in a VM whose configuration maps the same.
 */
#ifndef GUEST_ADDRESSES_H
#define GUEST_ADDRESSES_H

#ifndef UART_BASE
#define UART_BASE 0x09000000 /* PL011 */
#endif
#ifndef GICD_BASE
#define GICD_BASE 0x08000000
#endif
#ifndef GICR_BASE
#define GICR_BASE 0x080A0000 /* GICv3: 128 KiB a vCPU */
#endif
#ifndef GICC_BASE
#define GICC_BASE 0x08010000 /* GICv2 */
#endif
#ifndef RAM_BASE
#define RAM_BASE 0x40000000
#endif

#define UART_INTID 33
#define TIMER_INTID 27 /* the virtual timer, PPI 11 */

#define CPUS_OF_AFF1 16 /* vCPUs that a target list of an SGI reaches */

#endif
