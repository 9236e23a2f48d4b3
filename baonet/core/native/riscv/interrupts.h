/* Which interrupts are pending for the guest, and the library's interrupt input. */
#ifndef BAONET_RISCV_INTERRUPTS_H
#define BAONET_RISCV_INTERRUPTS_H

#include "core.h"

/* As sip. */
uint64_t interrupts_pending(const struct core *core);

/* The one of these that comes first (of bits of sip); 0: none. */
unsigned interrupts_first(uint64_t pending);

/* Whether one is pending and enabled, which ends a WFI. */
bool interrupts_wake(const struct core *core);

/* Something has changed: drives the library's input. */
void interrupts_update(struct core *core);

#endif
