/*
 * What the ID registers promise is there, and the rest is undefined: SVE and EL3, which the library has and a VM has not,
 * are not in them; the debug registers and those that Cortex-A53, A57 and A72 define for themselves are.
 */
#include "armv8/identification.h"

#include "armv8/register_table.h"
#include "leave.h"

#define MODEL_MAX 3 /* UC_CPU_ARM64_MAX: of no real CPU */
#define SVE (0xfull << 32) /* ID_AA64PFR0_EL1 */
#define SECURE 0xf0u      /* ID_PFR1_EL1.Security, ID_DFR0_EL1.CopSDbg */
#define GIC_REGISTERS (1u << 28) /* ID_PFR1_EL1 */
#define PMU_VERSION 0xf00u       /* ID_AA64DFR0_EL1 */
#define PMU_VERSION_3 0x100u
#define PERFMON 0x0f000000u /* ID_DFR0_EL1 */
#define PERFMON_3 0x03000000u

/* EL0, EL1 and EL2 are there and AArch64 and AArch32, EL3 is not; the GIC system registers as the VM has them. */
static uint64_t read_pfr0(void *env, const void *ri) {
    (void)env, (void)ri;
    return running->arch.gicv3 ? 0x01000222 : 0x00000222;
}

static uint64_t read_pfr1_32(void *env, const void *ri) {
    (void)env, (void)ri;
    return (FIELD(uint32_t, running->cpu, CPU_ID_PFR1) & ~SECURE) | (running->arch.gicv3 ? GIC_REGISTERS : 0);
}

static uint64_t read_zero(void *env, const void *ri) {
    (void)env, (void)ri;
    return 0;
}

static void write_ignored(void *env, const void *ri, uint64_t value) { (void)env, (void)ri, (void)value; }

/* The OS double lock (Arm ARM D17.3.22, OSDLR_EL1). */
static uint64_t read_double_lock(void *env, const void *ri) {
    (void)env, (void)ri;
    return running->state.arch.double_locked;
}

static void write_double_lock(void *env, const void *ri, uint64_t value) {
    (void)env, (void)ri;
    running->state.arch.double_locked = value & 1;
}

/* L2CTLR_EL1: how many cores the cluster has, less one (Cortex-A53 TRM 4.3.58). */
static uint64_t read_l2ctlr(void *env, const void *ri) {
    (void)env, (void)ri;
    return (uint64_t)((running->arch.cluster > 4 ? 4 : running->arch.cluster) - 1) << 24;
}

/* Cortex-A53 TRM 4.3: they read as zero, and what is written is not kept, as nothing here follows from it. */
static const uint32_t implementation_defined[] = {
    SYSREG(3, 1, 11, 0, 3), /* L2ECTLR_EL1 */
    SYSREG(3, 1, 15, 0, 0), /* L2ACTLR_EL1 */
    SYSREG(3, 1, 15, 2, 0), /* CPUACTLR_EL1 */
    SYSREG(3, 1, 15, 2, 1), /* CPUECTLR_EL1 */
    SYSREG(3, 1, 15, 2, 2), /* CPUMERRSR_EL1 */
    SYSREG(3, 1, 15, 2, 3), /* L2MERRSR_EL1 */
};

static bool constant(struct core *core, uint32_t reg, uint64_t clear, uint64_t set) {
    uint8_t *ri = register_find(core, reg);
    if (ri) FIELD(uint64_t, ri, RI_RESET_VALUE) = (FIELD(uint64_t, ri, RI_RESET_VALUE) & ~clear) | set;
    return ri;
}

static void undefine(struct core *core, uint32_t reg) {
    uint8_t *ri = register_find(core, reg);
    if (ri) FIELD(int32_t, ri, RI_ACCESS) = 0;
}

int identification_define(struct core *core) {
    FIELD(uint64_t, core->cpu, CPU_ID_AA64PFR0) &= ~SVE;
    undefine(core, SYSREG(3, 0, 1, 2, 0)); /* ZCR_EL1 */
    if (!register_redefine(core, SYSREG(3, 0, 0, 4, 0), read_pfr0, NULL)) return -1;
    if (!register_redefine(core, SYSREG(3, 0, 0, 1, 1), read_pfr1_32, NULL)) return -1;
    if (!constant(core, SYSREG(3, 0, 0, 1, 2), SECURE | PERFMON, PERFMON_3)) return -1;       /* ID_DFR0_EL1 */
    if (!constant(core, SYSREG(3, 0, 0, 5, 0), PMU_VERSION, PMU_VERSION_3)) return -1;        /* ID_AA64DFR0_EL1 */
    undefine(core, SYSREG(2, 0, 0, 1, 0)); /* where the library has MDCCSR_EL0 */
    register_define(core, "MDCCSR_EL0", SYSREG(2, 3, 0, 1, 0), PL0_R, read_zero, NULL);
    if (!register_redefine(core, SYSREG(2, 0, 0, 2, 0), read_zero, write_ignored)) return -1; /* MDCCINT_EL1 */
    if (!register_redefine(core, SYSREG(2, 0, 1, 3, 4), read_double_lock, write_double_lock)) return -1;
    if (core->cpu_model == MODEL_MAX) return 0;
    register_define(core, "L2CTLR_EL1", SYSREG(3, 1, 11, 0, 2), PL1_RW, read_l2ctlr, write_ignored);
    for (size_t i = 0; i < sizeof implementation_defined / sizeof *implementation_defined; i++)
        register_define(core, "IMPLEMENTATION_DEFINED", implementation_defined[i], PL1_RW, read_zero, write_ignored);
    return 0;
}
