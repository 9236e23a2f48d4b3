/* How what happens in the guest makes it leave. */
#include "leave.h"

#define WAITED_STRAIN 1000u /* nanoseconds that cost others as much as an exception: a stay has some 4 ms of them */

_Thread_local struct core *running;

void core_leave(struct core *core, enum exit_reason reason) {
    core->scratch.reason = reason;
    /* No interrupt is taken on the way out, or the PC would not be where the exit says; entering looks again. */
    FIELD(uint32_t, core->cpu, CS_INTERRUPT_REQUEST) &= ~ARCH_INTERRUPT_INPUTS;
    FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST) = 1;
}

void core_leave_here(struct core *core, enum exit_reason reason) {
    core_leave(core, reason);
    FIELD(int32_t, core->cpu, CS_EXCEPTION_INDEX) = EXCP_INTERRUPT;
    unicorn.loop_exit(core->cpu);
}

/* Something that costs the host as much as so many exceptions has happened in mid-block. */
void core_strain(struct core *core, unsigned exceptions) {
    core->scratch.strain += exceptions;
    if (core->scratch.strain < SPELL) return;
    core->scratch.strain = 0;
    slot_kick(core->slot, KICK_DOORBELL);
}

void core_deserted(void) { Py_FatalError("baonet: the node's courier has ended"); }

void core_strain_waited(struct core *core, uint64_t nanoseconds) {
    uint64_t exceptions = nanoseconds / WAITED_STRAIN;
    core_strain(core, exceptions < SPELL ? (unsigned)exceptions : SPELL);
}
