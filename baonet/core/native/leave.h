/*
 * Leaving the guest from below: at once behind the instruction or block that runs, at the start of the next block, or when
 * enough has happened that costs the host. run.c tells what came of it.
 */
#ifndef BAONET_LEAVE_H
#define BAONET_LEAVE_H

#include "core.h"

/* Whose guest this thread is in; NULL: in none. It is asked at every turn, so no call is made for it. */
extern _Thread_local struct core *running __attribute__((tls_model("initial-exec")));

void core_leave(struct core *core, enum exit_reason reason);

/* At the instruction that the guest's state is at, which has not retired. Does not return. */
void core_leave_here(struct core *core, enum exit_reason reason);

/* A stay ends when it has had so many exceptions, or what costs the host as much: some 600 us of them. */
#define SPELL 4096
#define FLUSH_STRAIN 2 /* a TLB that is emptied costs the host as much as so many exceptions */
#define MAINTENANCE_STRAIN 1 /* a page of one, or a line of translated code */
void core_strain(struct core *core, unsigned exceptions);

/* Ends the process: amid an instruction the node's courier is needed, and has ended. */
_Noreturn void core_deserted(void);

/* Another node has been waited for, so long: few instructions may take seconds. */
void core_strain_waited(struct core *core, uint64_t nanoseconds);

#endif
