/* What a guest expects at which guest-physical address, and how many vCPUs there may be. */
#ifndef GUEST_BOARD_H
#define GUEST_BOARD_H

#include "addresses.h"

#ifndef IPC_BASE
#define IPC_BASE 0x70000000 /* the VM's first `ipcs` entry */
#endif

#ifndef SECOND_IPC_BASE
#define SECOND_IPC_BASE 0x71000000 /* its second */
#endif

#define IPC_INTID 84
#define SECOND_IPC_INTID 85

#ifndef MAX_CPUS
#define MAX_CPUS 8
#define STACK_SIZE 0x4000
#endif

#endif
