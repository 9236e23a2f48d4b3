/*
 * What a guest expects at which guest-physical address (IPA). These are the addresses of QEMU's `virt` board, so that
 * one image runs there without a hypervisor and in a VM whose configuration maps the same.
 */
#ifndef GUEST_BOARD_H
#define GUEST_BOARD_H

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
#ifndef IPC_BASE
#define IPC_BASE 0x70000000 /* the VM's first `ipcs` entry */
#endif

#ifndef SECOND_IPC_BASE
#define SECOND_IPC_BASE 0x71000000 /* its second */
#endif
#ifndef RAM_BASE
#define RAM_BASE 0x40000000
#endif

#define UART_INTID 33
#define IPC_INTID 84
#define SECOND_IPC_INTID 85
#define TIMER_INTID 27 /* the virtual timer, PPI 11 */

#ifndef MAX_CPUS
#define MAX_CPUS 8
#define STACK_SIZE 0x4000
#endif
#define CPUS_OF_AFF1 16 /* vCPUs that a target list of an SGI reaches */

#endif
