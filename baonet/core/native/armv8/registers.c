/*
 * System registers that are served natively: the ICC_* interface, which the library does not have, the generic timer,
 * which it only stores, and instruction-cache maintenance, which it ignores.
 */
#include "armv8/registers.h"

#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "architecture.h"
#include "armv8/at.h"
#include "armv8/debug.h"
#include "armv8/flags.h"
#include "armv8/interface.h"
#include "armv8/pmu.h"
#include "armv8/register_table.h"
#include "armv8/timer.h"
#include "armv8/views32.h"
#include "leave.h"
#include "modelled.h"
#include "pages.h"
#include "rest.h"

static uint64_t read_interface(void *env, const void *ri) {
    (void)env;
    uint64_t value = interface_read(running, register_encoding(ri));
    /* A read does not end the block. */
    if (FIELD(uint8_t, running->cpu, CS_EXIT_REQUEST)) slot_kick(running->slot, KICK_MAINTENANCE);
    return value;
}

static void write_interface(void *env, const void *ri, uint64_t value) {
    (void)env;
    interface_write(running, register_encoding(ri), value);
}

/* Software-generated interrupts are the hypervisor's; the block ends after the write, with the PC behind it. */
static void write_trapped(void *env, const void *ri, uint64_t value) {
    (void)env;
    running->state.exit[EXIT_REGISTER] = register_encoding(ri);
    running->state.exit[EXIT_VALUE] = value;
    core_leave(running, EXIT_SYSTEM_REGISTER);
}

static const struct {
    uint32_t reg;
    int access;
} interface_registers[] = {
    {SYSREG(3, 0, 4, 6, 0), PL1_RW},    {SYSREG(3, 0, 12, 8, 0), PL1_R},   {SYSREG(3, 0, 12, 8, 1), PL1_W},
    {SYSREG(3, 0, 12, 8, 2), PL1_R},    {SYSREG(3, 0, 12, 8, 3), PL1_RW},  {SYSREG(3, 0, 12, 8, 4), PL1_RW},
    {SYSREG(3, 0, 12, 9, 0), PL1_RW},   {SYSREG(3, 0, 12, 11, 1), PL1_W},  {SYSREG(3, 0, 12, 11, 3), PL1_R},
    {SYSREG(3, 0, 12, 12, 0), PL1_R},   {SYSREG(3, 0, 12, 12, 1), PL1_W},  {SYSREG(3, 0, 12, 12, 2), PL1_R},
    {SYSREG(3, 0, 12, 12, 3), PL1_RW},  {SYSREG(3, 0, 12, 12, 4), PL1_RW}, {SYSREG(3, 0, 12, 12, 5), PL1_RW},
    {SYSREG(3, 0, 12, 12, 6), PL1_RW},  {SYSREG(3, 0, 12, 12, 7), PL1_RW},
};
static const uint32_t trapped_registers[] = {
    SYSREG(3, 0, 12, 11, 5), /* ICC_SGI1R_EL1 */
    SYSREG(3, 0, 12, 11, 6), /* ICC_ASGI1R_EL1 */
    SYSREG(3, 0, 12, 11, 7), /* ICC_SGI0R_EL1 */
};

#define IC_IALLUIS SYSREG(1, 0, 7, 1, 0)

/* IC IVAU; IC IALLU and IALLUIS. */
static void invalidate_line(void *env, const void *ri, uint64_t va) {
    (void)env, (void)ri;
    uint64_t ipa;
    if (arch_translate(running, va, MMU_DATA_LOAD, &ipa)) {
        pages_invalidate_line(running, ipa);
        modelled_forget_code_line(running, va, ipa);
    }
    if (running->scratch.arch.walk.blocked) rest_leave(running, running->scratch.arch.granted_from);
}

static void invalidate_all(void *env, const void *ri, uint64_t value) {
    (void)env, (void)value;
    pages_invalidate_all(running);
    modelled_forget_code(running, register_encoding(ri) == IC_IALLUIS);
}

/*
 * RNDR and RNDRRS. In virtual time they are a function of which CPU asks and how often it has asked (SplitMix64), since
 * the host's randomness would make every run another one. With the host's clock they are the host's, by the one call that
 * the process may make for it: the library's own function opens a file, which it may not.
 */
static uint64_t next_random(struct core *core) {
    uint64_t z = ((uint64_t)core->index << 48) + ++core->state.arch.random * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t read_random(void *env, const void *ri) {
    (void)ri;
    uint64_t number = 0;
    bool there = true;
    if (running->hz) number = next_random(running);
    else there = getrandom(&number, sizeof number, GRND_NONBLOCK) == sizeof number;
    FIELD(uint32_t, env, ENV_CF) = FIELD(uint32_t, env, ENV_VF) = FIELD(uint32_t, env, ENV_NF) = 0;
    FIELD(uint32_t, env, ENV_ZF) = there; /* Z is set when this is 0: there was no number in reasonable time */
    return there ? number : 0;
}

static void redefine_random(struct core *core, uint32_t reg) {
    uint8_t *ri = register_find(core, reg);
    if (ri) FIELD(void *, ri, RI_READFN) = read_random; /* only the model `max` has it */
}

/* Of the Secure physical timer: undefined here, where the library has a trap to EL1 (Arm ARM D17.11.21). */
static int secure_only(void *env, const void *ri, bool is_read) {
    (void)env, (void)ri, (void)is_read;
    return CP_ACCESS_TRAP_UNCATEGORIZED;
}

int registers_define(struct core *core) {
    if (core->arch.gicv3) {
        for (size_t i = 0; i < sizeof interface_registers / sizeof *interface_registers; i++)
            register_define(core, "ICC", interface_registers[i].reg, interface_registers[i].access, read_interface,
                            write_interface);
        for (size_t i = 0; i < sizeof trapped_registers / sizeof *trapped_registers; i++)
            register_define(core, "ICC_SGI", trapped_registers[i], PL1_W, NULL, write_trapped);
    }
    register_define(core, "DBGDTR_EL0", SYSREG(2, 3, 0, 4, 0), PL0_W, NULL, debug_transmit);
    for (uint32_t crm = 2; crm <= 3; crm++)
        for (uint32_t op2 = 0; op2 <= 2; op2++)
            if (!register_redefine(core, SYSREG(3, 3, 14, crm, op2), timer_read, timer_write)) return -1;
    if (!register_redefine(core, SYSREG(3, 3, 14, 0, 1), timer_count, NULL)) return -1;
    if (!register_redefine(core, SYSREG(3, 3, 14, 0, 2), timer_count, NULL)) return -1;
    if (views32_define(core)) return -1;
    redefine_random(core, SYSREG(3, 3, 2, 4, 0));
    redefine_random(core, SYSREG(3, 3, 2, 4, 1));
    if (!register_redefine(core, SYSREG(1, 3, 7, 5, 1), NULL, invalidate_line)) return -1; /* IC IVAU */
    if (!register_redefine(core, IC_IALLUIS, NULL, invalidate_all)) return -1;
    if (!register_redefine(core, SYSREG(1, 0, 7, 5, 0), NULL, invalidate_all)) return -1;  /* IC IALLU */
    if (at_define(core) || pmu_define(core)) return -1;
    for (uint32_t op2 = 0; op2 < 3; op2++) /* CNTPS_TVAL_EL1, CNTPS_CTL_EL1, CNTPS_CVAL_EL1 */
        FIELD(void *, register_find(core, SYSREG(3, 7, 14, 2, op2)), RI_ACCESSFN) = secure_only;
    return 0;
}

#define SCR_NS_HCE_RW 0x501u
#define SCR_API_APK (3u << 16)
#define HCR_RW_TSC ((1ull << 31) | (1ull << 19))
#define HCR_API_APK (3ull << 40)
#define SCTLR_EL1_RESET 0x30c50830u /* as Bao sets it: MMU and caches off */
#define PSTATE_SP 1u
#define PSTATE_EL1H 5u
#define PSTATE_DAIF 0x3c0u
#define CACHE_INSTRUCTION 1 /* CLIDR_EL1.Ctype<n> */
#define CACHE_SEPARATE 3

/* Where Bao's search of the caches ends, on the CPU that does it (Bao's cache.c): at the last level that is there. */
static uint64_t last_cache(uint64_t levels) {
    uint64_t selected = 0;
    for (unsigned level = 0; level < 7 && levels >> 3 * level & 7; level++) {
        uint64_t type = levels >> 3 * level & 7;
        selected = level << 1 | (type == CACHE_INSTRUCTION || type == CACHE_SEPARATE);
    }
    return selected;
}

static uint64_t *field_of(struct core *core, uint32_t reg) {
    return &FIELD(uint64_t, core->env, FIELD(int64_t, register_find(core, reg), RI_FIELD_OFFSET));
}

/*
 * What Bao resets of a vCPU that was on before (vcpu_arch_reset): flags, masks, exception level and general registers,
 * SCTLR_EL1, CNTKCTL_EL1, PMCR_EL0. All else is as its guest left it, on a CPU that does not lose power.
 */
void registers_restart(struct core *core) {
    uint8_t *env = core->env;
    uint64_t *sp = FIELD(uint32_t, env, ENV_PSTATE) & PSTATE_SP ? &FIELD(uint64_t, env, ENV_SP_EL1) : &FIELD(uint64_t, env, ENV_SP_EL0);
    *sp = core_x(core)[31];
    memset(core_x(core), 0, 31 * sizeof(uint64_t));
    core_x(core)[31] = FIELD(uint64_t, env, ENV_SP_EL1);
    FIELD(uint32_t, env, ENV_PSTATE) = PSTATE_EL1H;
    FIELD(uint64_t, env, ENV_DAIF) = PSTATE_DAIF;
    FIELD(uint32_t, env, ENV_CF) = FIELD(uint32_t, env, ENV_VF) = FIELD(uint32_t, env, ENV_NF) = 0;
    FIELD(uint32_t, env, ENV_ZF) = 1; /* Z is set when this is 0 */
    FIELD(uint32_t, env, ENV_BTYPE) = 0;
    FIELD(uint64_t, env, ENV_SCTLR_EL1) = SCTLR_EL1_RESET;
    *field_of(core, SYSREG(3, 0, 14, 1, 0)) = 0; /* CNTKCTL_EL1 */
    pmu_stop(core);
    unicorn.tlb_flush(core->cpu);
    arm_rebuild_hflags_aarch64(env);
}

void registers_initialise(struct core *core) {
    FIELD(uint64_t, core->env, ENV_VMPIDR_EL2) = core->arch.mpidr; /* what EL1 reads as MPIDR_EL1 and MIDR_EL1 */
    FIELD(uint64_t, core->env, ENV_VPIDR_EL2) = core->arch.midr;
    FIELD(uint64_t, core->env, ENV_SCR_EL3) = SCR_NS_HCE_RW | SCR_API_APK;
    FIELD(uint64_t, core->env, ENV_HCR_EL2) = HCR_RW_TSC | HCR_API_APK;
    FIELD(uint64_t, core->env, ENV_SCTLR_EL1) = SCTLR_EL1_RESET;
    FIELD(uint64_t, core->env, ENV_CNTFRQ) = core->frequency;
    FIELD(uint32_t, core->env, ENV_ZF) = 1; /* no flag is set: Z is when this is 0 */
    if (core->index == 0) { /* Bao's CPU_MASTER is who comes first */
        uint64_t levels = FIELD(uint64_t, register_find(core, SYSREG(3, 1, 0, 0, 1)), RI_RESET_VALUE); /* CLIDR_EL1 */
        *field_of(core, SYSREG(3, 2, 0, 0, 0)) = last_cache(levels);                                    /* CSSELR_EL1 */
    }
    arm_rebuild_hflags_aarch64(core->env);
}
