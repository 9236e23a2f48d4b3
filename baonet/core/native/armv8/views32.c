/*
 * The registers of CP14 and CP15 that EL0 may reach in AArch32 state are views of AArch64 ones, each with an entry of its own
 * in the library's table (Arm ARM G7 and G8): what registers.c redefines is redefined here as well.
 */
#include "armv8/views32.h"

#include "armv8/arm.h"
#include "armv8/debug.h"
#include "armv8/pmu.h"
#include "armv8/timer.h"

#define KEY(coprocessor, is64, crn, crm, op1, op2)                                                                     \
    (1u << 29 | (coprocessor) << 16 | (is64) << 15 | (crn) << 11 | (crm) << 7 | (op1) << 3 | (op2)) /* non-secure */
#define CP15(crn, crm, op2) KEY(15u, 0u, crn, crm, 0u, op2)
#define CP15_64(crm, op1) KEY(15u, 1u, 0u, crm, op1, 0u)

static uint64_t read_compare(void *env, const void *ri) {
    (void)env;
    return timer_read_register(FIELD(uint8_t, ri, RI_OP1) == 3 ? TIMER_VIRTUAL : TIMER_PHYSICAL, TIMER_CVAL);
}

static void write_compare(void *env, const void *ri, uint64_t value) {
    (void)env;
    timer_write_register(FIELD(uint8_t, ri, RI_OP1) == 3 ? TIMER_VIRTUAL : TIMER_PHYSICAL, TIMER_CVAL, value);
}

/* MCR leaves the upper half of the counter as it is. */
static void write_cycles(void *env, const void *ri, uint64_t value) {
    pmu_write_cycles(env, ri, (pmu_read_cycles(env, ri) & ~(uint64_t)UINT32_MAX) | (uint32_t)value);
}

/* CP15DMB, CP15DSB and CP15ISB, which the library has as no-ops; a write also ends the block. */
static void barrier(void *env, const void *ri, uint64_t value) {
    (void)env, (void)ri, (void)value;
    atomic_thread_fence(memory_order_seq_cst);
}

#define SCTLR_CP15BEN 0x20u

static int barrier_allowed(void *env, const void *ri, bool is_read) {
    (void)ri, (void)is_read;
    return FIELD(uint64_t, env, ENV_SCTLR_EL1) & SCTLR_CP15BEN ? CP_ACCESS_OK : CP_ACCESS_TRAP_UNCATEGORIZED;
}

static const struct {
    uint32_t key;
    uint64_t (*read)(void *, const void *);
    void (*write)(void *, const void *, uint64_t);
    int (*access)(void *, const void *, bool);
} views[] = {
    {CP15_64(14u, 0u), timer_count, NULL, NULL},            /* CNTPCT */
    {CP15_64(14u, 1u), timer_count, NULL, NULL},            /* CNTVCT */
    {CP15_64(14u, 2u), read_compare, write_compare, NULL},  /* CNTP_CVAL */
    {CP15_64(14u, 3u), read_compare, write_compare, NULL},  /* CNTV_CVAL */
    {CP15(14u, 2u, 0u), timer_read, timer_write, NULL},     /* CNTP_TVAL */
    {CP15(14u, 2u, 1u), timer_read, timer_write, NULL},     /* CNTP_CTL */
    {CP15(14u, 3u, 0u), timer_read, timer_write, NULL},     /* CNTV_TVAL */
    {CP15(14u, 3u, 1u), timer_read, timer_write, NULL},     /* CNTV_CTL */
    {CP15(9u, 12u, 0u), pmu_read, pmu_write, NULL},
    {CP15(9u, 12u, 1u), pmu_read, pmu_write, NULL},
    {CP15(9u, 12u, 2u), pmu_read, pmu_write, NULL},
    {CP15(9u, 12u, 3u), pmu_read, pmu_write, NULL},
    {CP15(9u, 12u, 4u), pmu_read, pmu_write, NULL},
    {CP15(9u, 12u, 5u), pmu_read, pmu_write, NULL},
    {CP15(9u, 12u, 6u), pmu_read, pmu_write, NULL},
    {CP15(9u, 13u, 0u), pmu_read_cycles, write_cycles, NULL},
    {CP15(9u, 13u, 1u), pmu_read, pmu_write, NULL},
    {CP15(9u, 13u, 2u), pmu_read, pmu_write, NULL},
    {CP15(9u, 14u, 3u), pmu_read, pmu_write, NULL},
    {CP15(14u, 15u, 7u), pmu_read, pmu_write, NULL},
    {CP15(7u, 5u, 4u), NULL, barrier, barrier_allowed},
    {CP15(7u, 10u, 4u), NULL, barrier, barrier_allowed},
    {CP15(7u, 10u, 5u), NULL, barrier, barrier_allowed},
};

static uint8_t *find(struct core *core, uint32_t key) {
    uint8_t *ri = arm.get_reginfo(FIELD(void *, core->cpu, CPU_CP_REGS), key);
    if (!ri) python_error(PyExc_ImportError, "libunicorn.so.2 has no AArch32 register 0x%x: install unicorn==2.1.4", key);
    return ri;
}

/* PMEVCNTR<n> and PMEVTYPER<n>: the library has four of each. */
static int define_counters(struct core *core) {
    uint8_t *selected = find(core, CP15(9u, 13u, 2u)), copy[RI_SIZE] __attribute__((aligned(8)));
    if (!selected) return -1;
    for (uint32_t crm = 8; crm <= 12; crm += 4)
        for (uint32_t n = 0; n < PMU_COUNTERS; n++) {
            uint8_t *ri = find(core, CP15(14u, crm, n < 4 ? n : 3u));
            if (!ri) return -1;
            FIELD(void *, ri, RI_READFN) = pmu_read;
            FIELD(void *, ri, RI_WRITEFN) = pmu_write;
            FIELD(int32_t, ri, RI_TYPE) = ARM_CP_NO_RAW;
            if (crm == 8) FIELD(void *, ri, RI_ACCESSFN) = FIELD(void *, selected, RI_ACCESSFN);
            if (n < 4) continue;
            memcpy(copy, ri, RI_SIZE);
            FIELD(uint8_t, copy, RI_OP2) = (uint8_t)n;
            arm.define_reg(core->cpu, copy, NULL);
        }
    return 0;
}

/* Views that the library does not have: PMCCNTR with 64 bits, and DBGDTRTXint (registers.c has why). */
static int define_missing(struct core *core) {
    uint8_t *narrow = find(core, CP15(9u, 13u, 0u)), ri[RI_SIZE] __attribute__((aligned(8)));
    if (!narrow) return -1;
    memcpy(ri, narrow, RI_SIZE);
    FIELD(uint8_t, ri, RI_CRN) = 0;
    FIELD(uint8_t, ri, RI_CRM) = 9;
    FIELD(int32_t, ri, RI_TYPE) = ARM_CP_64BIT | ARM_CP_NO_RAW;
    FIELD(void *, ri, RI_WRITEFN) = pmu_write_cycles;
    arm.define_reg(core->cpu, ri, NULL);
    memset(ri, 0, RI_SIZE);
    FIELD(const char *, ri, RI_NAME) = "DBGDTRTXint";
    FIELD(uint8_t, ri, RI_CP) = 14;
    FIELD(uint8_t, ri, RI_CRM) = 5;
    FIELD(int32_t, ri, RI_STATE) = ARM_CP_STATE_AA32;
    FIELD(int32_t, ri, RI_TYPE) = ARM_CP_NO_RAW;
    FIELD(int32_t, ri, RI_ACCESS) = PL0_W;
    FIELD(void *, ri, RI_WRITEFN) = debug_transmit;
    arm.define_reg(core->cpu, ri, NULL);
    return 0;
}

int views32_define(struct core *core) {
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        uint8_t *ri = find(core, views[i].key);
        if (!ri) return -1;
        if (views[i].read) FIELD(void *, ri, RI_READFN) = views[i].read;
        if (views[i].access) FIELD(void *, ri, RI_ACCESSFN) = views[i].access;
        if (!views[i].write) continue;
        FIELD(void *, ri, RI_WRITEFN) = views[i].write;
        FIELD(int32_t, ri, RI_TYPE) = (FIELD(int32_t, ri, RI_TYPE) & ARM_CP_64BIT) | ARM_CP_NO_RAW;
    }
    return define_counters(core) || define_missing(core) ? -1 : 0;
}
