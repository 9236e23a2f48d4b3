/* The address translation instructions of EL1: AT S1E0R, S1E0W, S1E1R and S1E1W. */
#include "armv8/at.h"

#include "armv8/bus.h"
#include "armv8/register_table.h"
#include "armv8/stage2.h"
#include "armv8/walk.h"
#include "leave.h"
#include "rest.h"

#define ISS_CM (1u << 8) /* with WnR */

static void (*library_translate)(void *env, const void *ri, uint64_t va);

/*
 * A descriptor that cannot be loaded is no answer in PAR_EL1: what is refused at stage 2
 * is the hypervisor's, what the bus refuses a Data Abort (Arm ARM D8.14.1).
 */
static void translate_address(void *env, const void *ri, uint64_t va) {
    struct core *core = running;
    library_translate(env, ri, va);
    if (core->scratch.arch.walk.blocked) rest_leave(core, core->scratch.arch.granted_from);
    if (core->scratch.arch.walk.failed) stage2_abort_on_walk(core, va, MMU_DATA_STORE, ISS_CM, core->scratch.arch.granted_from);
    if (!core->scratch.arch.walk.refused) return;
    int level = walk_first_level(core, va) + (int)core->scratch.arch.walk.loads - 1;
    bus_abort_on_walk(core, va, (uint32_t)level | ISS_CM, MMU_DATA_STORE, core->scratch.arch.granted_from);
}

int at_define(struct core *core) {
    for (uint32_t op2 = 0; op2 < 4; op2++) {
        uint8_t *ri = register_find(core, SYSREG(1, 0, 7, 8, op2));
        if (ri) library_translate = FIELD(void *, ri, RI_WRITEFN);
        if (!register_redefine(core, SYSREG(1, 0, 7, 8, op2), NULL, translate_address)) return -1;
        FIELD(void *, ri, RI_ACCESSFN) = register_allowed;
    }
    return 0;
}
