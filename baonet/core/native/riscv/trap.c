/* Taking a trap (privileged architecture, 12.1.1, 12.1.2 and 12.1.8). */
#include "riscv/trap.h"

#include "riscv/registers.h"

#define INTERRUPT (1ull << 63)
#define VECTORED 1u

void trap_enter(struct core *core, uint64_t cause, uint64_t tval, bool interrupt) {
    uint64_t status = ENV64(core, ENV_MSTATUS), vector = ENV64(core, ENV_STVEC);
    uint64_t saved = (status & STATUS_SIE ? STATUS_SPIE : 0) | (in_user_mode(core) ? 0 : STATUS_SPP);
    ENV64(core, ENV_MSTATUS) = (status & ~(uint64_t)(STATUS_SIE | STATUS_SPIE | STATUS_SPP)) | saved;
    ENV64(core, ENV_SCAUSE) = cause | (interrupt ? INTERRUPT : 0);
    ENV64(core, ENV_SEPC) = core_pc(core);
    ENV64(core, ENV_STVAL) = tval;
    ENV64(core, ENV_PRIV) = PRIV_S;
    trap_drop_reservation(core);
    core_pc(core) = (vector & ~3ull) + (interrupt && (vector & 3) == VECTORED ? 4 * cause : 0);
}
