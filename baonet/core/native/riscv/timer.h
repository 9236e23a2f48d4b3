/* The timer: stimecmp of the guest, or without Sstc the one of the hypervisor. In ticks of `time`. */
#ifndef BAONET_RISCV_TIMER_H
#define BAONET_RISCV_TIMER_H

#include "core.h"

#define NEVER UINT64_MAX

/* `time`. */
uint64_t timer_now(struct core *core);

void timer_set(struct core *core, uint64_t compare);

/* Where the clock is exact: whether it is due and has not fired, as nobody looked; with Sstc. Then, it fires. */
bool timer_is_late(struct core *core);
void timer_look(struct core *core);

/* It has been replaced. */
void timer_renew(struct core *core);

#endif
