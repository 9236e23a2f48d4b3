/* Making an Armv8 core, and the entry state of its vCPU. */
#include <string.h>
#include <unicorn/unicorn.h>

#include "architecture.h"
#include "armv8/arm.h"
#include "armv8/flags.h"
#include "armv8/identification.h"
#include "armv8/pmu.h"
#include "armv8/registers.h"
#include "armv8/timer.h"
#include "armv8/watch.h"

#define VIRTUAL_TIMER 27 /* INTIDs */
#define PHYSICAL_TIMER 30

static bool has(PyObject *interrupts, uint32_t intid) {
    PyObject *number = PyLong_FromUnsignedLong(intid);
    bool found = number && PySequence_Contains(interrupts, number) == 1;
    Py_XDECREF(number);
    return found;
}

/* The library has the values of registers that do not change in its code, and whether they are there. */
bool arch_translates_alike(const struct arch_wiring *one, const struct arch_wiring *other) {
    return one->midr == other->midr && one->gicv3 == other->gicv3 && one->gicv2 == other->gicv2 && one->monitors == other->monitors &&
           one->cluster == other->cluster;
}

int arch_init(struct core *core, PyObject *keywords) {
    static char *names[] = {"model", "midr", "mpidr", "gic_version", "list_registers", "timers", "cluster", NULL};
    struct arch_wiring *wiring = &core->arch;
    unsigned long long midr, mpidr;
    int gic_version;
    PyObject *timers, *nothing = PyTuple_New(0);
    wiring->cluster = 1;
    int parsed = nothing && PyArg_ParseTupleAndKeywords(nothing, keywords, "iKKiIO!|I", names, &core->cpu_model, &midr, &mpidr, &gic_version,
                                                        &wiring->list_registers, &PyTuple_Type, &timers, &wiring->cluster);
    Py_XDECREF(nothing);
    if (!parsed) return -1;
    if (wiring->list_registers < 1 || wiring->list_registers > 16) {
        PyErr_SetString(PyExc_ValueError, "1 to 16 list registers");
        return -1;
    }
    wiring->midr = midr;
    wiring->mpidr = mpidr;
    wiring->gicv3 = gic_version == 3;
    wiring->gicv2 = gic_version == 2;
    struct timer *made = core->state.arch.timers;
    made[TIMER_VIRTUAL].intid = VIRTUAL_TIMER;
    made[TIMER_PHYSICAL].intid = PHYSICAL_TIMER;
    for (int i = 0; i < TIMERS; i++) made[i].assigned = has(timers, made[i].intid);
    wiring->monitors = has(timers, PMU_INTERRUPT);
    return PyErr_Occurred() ? -1 : 0;
}

/* The library's default is 1 KiB, as Armv5 had it, which makes every TLB fill four. */
int arch_configure(void *uc) { return unicorn.ctl(uc, UC_CTL_WRITE(UC_CTL_UC_PAGE_SIZE, 1), PAGE_SIZE); }

int arch_define(struct core *core) {
    registers_initialise(core);
    return registers_define(core) || identification_define(core) ? -1 : 0;
}

/*
 * The library aborts in a mode that is not there, or where what its EL2 and EL3 say of EL1 is something else than what it is in.
 * Guests change neither of these, nor which timers the core has.
 */
bool arch_plausible(struct core *core, const struct arch_state *state, const void *cpu) {
    for (int i = 0; i < TIMERS; i++) {
        const struct timer *timer = &state->timers[i], *mine = &core->state.arch.timers[i];
        if (timer->intid != mine->intid || BYTE(timer->assigned) != mine->assigned || BYTE(timer->active) > 1) return false;
    }
    if (state->pmu.active > 1) return false;
    if (BYTE(state->double_locked) > 1 || BYTE(state->maintenance) > 1) return false;
    static const size_t fixed[] = {ENV_HCR_EL2, ENV_SCR_EL3};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (FIELD(uint64_t, cpu, fixed[i]) != FIELD(uint64_t, core->env, fixed[i])) return false;
    uint32_t mode = FIELD(uint32_t, cpu, ENV_PSTATE) & PSTATE_MODE;
    switch (FIELD(uint32_t, cpu, ENV_AARCH64)) {
    case 0: return (FIELD(uint32_t, cpu, ENV_UNCACHED_CPSR) & CPSR_MODE) == CPSR_MODE_USER;
    case 1: return mode == PSTATE_MODE_EL0T || mode == PSTATE_MODE_EL1T || mode == PSTATE_MODE_EL1H;
    default: return false;
    }
}

/* Its own cycle counter, where the guest has that of pmu.c. */
void arch_forget_host(void *cpu) { memset((char *)cpu + ENV_CYCLES_DELTA, 0, sizeof(uint64_t)); }

/* The library keeps a list of the breakpoints that are enabled, and decides at a write what code of these is like. */
void arch_renew(struct core *core) {
    arm.update_breakpoints(core->cpu);
    watch_update(core);
    timer_renew(core);
    pmu_renew(core);
    arm_rebuild_hflags_aarch64(core->env);
}

void arch_reset(struct core *core, uint64_t entry, uint64_t context) {
    struct arch_state *state = &core->state.arch;
    state->double_locked = state->maintenance = false;
    memset(state->ich, 0, sizeof state->ich);
    for (int i = 0; i < TIMERS; i++) {
        state->timers[i].active = false;
        state->timers[i].ctl = state->timers[i].cval = state->timers[i].due = 0;
    }
    state->pmu = (struct pmu){0};
    state->last_exception = (struct exception){0};
    memset(core_x(core), 0, 32 * sizeof(uint64_t));
    core_x(core)[0] = context;
    core_pc(core) = entry;
    arch_renew(core);
}

void arch_restart(struct core *core, uint64_t entry, uint64_t context) {
    registers_restart(core);
    core_x(core)[0] = context;
    core_pc(core) = entry;
}
