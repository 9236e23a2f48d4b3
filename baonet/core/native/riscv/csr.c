/*
 * CSRs as a guest in VS mode has them under Bao (privileged architecture, 2.2, 12.1 and the H extension, 18.6.1). Every one of
 * the six instructions comes through one function of the library and ends its block, so that the clock and what is pending are
 * exact here.
 */
#include "riscv/csr.h"

#include "architecture.h"
#include "clock.h"
#include "leave.h"
#include "modelled.h"
#include "polling.h"
#include "riscv/file.h"
#include "riscv/interrupts.h"
#include "riscv/pte.h"
#include "riscv/registers.h"
#include "riscv/riscv.h"
#include "riscv/timer.h"
#include "trace.h"

enum {
    CSR_FFLAGS = 0x001,
    CSR_FRM = 0x002,
    CSR_FCSR = 0x003,
    CSR_SSTATUS = 0x100,
    CSR_SIE = 0x104,
    CSR_STVEC = 0x105,
    CSR_SCOUNTEREN = 0x106,
    CSR_SENVCFG = 0x10a,
    CSR_SSCRATCH = 0x140,
    CSR_SEPC = 0x141,
    CSR_SCAUSE = 0x142,
    CSR_STVAL = 0x143,
    CSR_SIP = 0x144,
    CSR_STIMECMP = 0x14d,
    CSR_SISELECT = 0x150,
    CSR_SIREG = 0x151,
    CSR_STOPEI = 0x15c,
    CSR_SATP = 0x180,
    CSR_CYCLE = 0xc00,
    CSR_TIME = 0xc01,
    CSR_INSTRET = 0xc02,
    CSR_HPMCOUNTER18 = 0xc12, /* the last that the CPU has */
    CSR_STOPI = 0xdb0,
};
#define LEVEL(csr) ((csr) >> 8 & 3)
#define LEVEL_S 1u
#define LEVEL_H 2u
#define IS_READ_ONLY(csr) ((csr) >> 10 == 3)

#define SATP_SV39 8u
#define SATP_SV57 10u
#define REFUSED (-1)

static uint64_t merged(uint64_t old, uint64_t value, uint64_t mask) { return (old & ~mask) | (value & mask); }

/* What it is to the guest that only the hypervisor has: they are there, at the level of a hypervisor. */
static bool is_hypervisor(const struct core *core, unsigned csr) {
    static const unsigned there[] = {
        0x200, 0x204, 0x205, 0x240, 0x241, 0x242, 0x243, 0x244, 0x280, /* vsstatus to vsatp */
        0x600, 0x602, 0x603, 0x604, 0x605, 0x606, 0x607, 0x60a,        /* hstatus to henvcfg */
        0x643, 0x644, 0x645, 0x64a, 0x680, 0xe12,                      /* htval to hgatp, hgeip */
    };
    static const unsigned of_aia[] = {0x250, 0x251, 0x25c, 0x608, 0x609, 0x646, 0x647, 0xeb0}; /* vsiselect ... vstopi */
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        if (there[i] == csr) return true;
    for (size_t i = 0; i < sizeof of_aia / sizeof *of_aia; i++)
        if (of_aia[i] == csr) return core->arch.aia;
    return csr == 0x24d && core->arch.sstc; /* vstimecmp */
}

static bool is_supervisor(const struct core *core, unsigned csr) {
    switch (csr) {
    case CSR_SISELECT:
    case CSR_SIREG:
    case CSR_STOPEI:
    case CSR_STOPI: return core->arch.aia;
    case CSR_STIMECMP: return core->arch.sstc;
    case CSR_SSTATUS:
    case CSR_SIE:
    case CSR_STVEC:
    case CSR_SCOUNTEREN:
    case CSR_SENVCFG:
    case CSR_SSCRATCH:
    case CSR_SEPC:
    case CSR_SCAUSE:
    case CSR_STVAL:
    case CSR_SIP:
    case CSR_SATP: return true;
    default: return false;
    }
}

uint64_t csr_refusal(const struct core *core, unsigned csr, bool writes) {
    if (writes && IS_READ_ONLY(csr)) return CAUSE_ILLEGAL;
    if (csr >= CSR_CYCLE && csr <= CSR_HPMCOUNTER18) return CAUSE_VIRTUAL; /* by hcounteren, or scounteren */
    if (LEVEL(csr) == LEVEL_H) return is_hypervisor(core, csr) ? CAUSE_VIRTUAL : CAUSE_ILLEGAL;
    return LEVEL(csr) == LEVEL_S && is_supervisor(core, csr) ? CAUSE_VIRTUAL : CAUSE_ILLEGAL;
}

static void write_status(struct core *core, uint64_t value) {
    uint64_t *status = &ENV64(core, ENV_MSTATUS), before = *status;
    *status = (before & ~STATUS_WRITABLE) | (value & STATUS_WRITABLE);
    if ((*status ^ before) & STATUS_MXR) unicorn.tlb_flush(core->cpu);
}

static uint64_t read_status(const struct core *core) {
    return (ENV64(core, ENV_MSTATUS) & STATUS_WRITABLE) | STATUS_READ_ONLY;
}

/* A mode that is not there leaves all as it is. */
static void write_satp(struct core *core, uint64_t value) {
    uint64_t mode = SATP_MODE(value);
    if (mode && (mode < SATP_SV39 || mode > SATP_SV57)) return;
    if (value == ENV64(core, ENV_SATP)) return;
    ENV64(core, ENV_SATP) = value;
    modelled_translate_anew(core);
    unicorn.tlb_flush(core->cpu);
    core_strain(core, FLUSH_STRAIN);
}

static void write_pending(struct core *core, uint64_t value, uint64_t mask) {
    uint64_t *lines = &core->state.arch.lines, before = *lines;
    *lines = merged(before, value, mask & SIP(INTERRUPT_SOFTWARE));
    if (*lines & ~before) trace(core, TRACE_PENDING, NUMBER_LOCAL + INTERRUPT_SOFTWARE, 0, 0);
}

/* The interrupt that would be taken first, and its priority number, which is 1 of all. */
static uint64_t read_stopi(const struct core *core) {
    unsigned first = interrupts_first(interrupts_pending(core) & ENV64(core, ENV_MIE));
    return first ? (uint64_t)first << 16 | 1 : 0;
}

static int access_file(struct core *core, uint64_t *old, uint64_t value, uint64_t mask) {
    uint64_t writable, *reg = file_register(core, &writable);
    if (!reg) return REFUSED;
    *old = *reg;
    *reg = merged(*old, value & writable, mask);
    file_written(core, reg, *old);
    return 0;
}

static void access_stopei(struct core *core, uint64_t *old, uint64_t mask) {
    uint32_t identity = file_top(core);
    *old = (uint64_t)identity << 16 | identity;
    if (mask && identity) file_claim(core, identity);
}

/* Those that are plain storage: all that a write leaves in them. */
static uint64_t *storage(struct core *core, unsigned csr, uint64_t *writable) {
    *writable = UINT64_MAX;
    switch (csr) {
    case CSR_SSCRATCH: return &ENV64(core, ENV_SSCRATCH);
    case CSR_SEPC: *writable = UINT64_MAX - 1; return &ENV64(core, ENV_SEPC);
    case CSR_SCAUSE: return &ENV64(core, ENV_SCAUSE);
    case CSR_STVAL: return &ENV64(core, ENV_STVAL);
    case CSR_SENVCFG: *writable = ENVCFG_WRITABLE; return &core->state.arch.senvcfg;
    case CSR_SCOUNTEREN: *writable = UINT32_MAX; return &ENV64(core, ENV_SCOUNTEREN);
    case CSR_SIE: *writable = SIP_ALL; return &ENV64(core, ENV_MIE);
    case CSR_SISELECT: *writable = SISELECT_WRITABLE; return &core->state.arch.file.select;
    default: return NULL;
    }
}

static int access_supervisor(struct core *core, unsigned csr, uint64_t *old, uint64_t value, uint64_t mask) {
    uint64_t writable, *stored = storage(core, csr, &writable);
    if (stored) {
        *old = *stored;
        *stored = merged(*old, value, mask) & writable;
        return 0;
    }
    switch (csr) {
    case CSR_SSTATUS:
        *old = read_status(core);
        if (mask) write_status(core, merged(*old, value, mask));
        return 0;
    case CSR_STVEC:
        *old = ENV64(core, ENV_STVEC);
        value = merged(*old, value, mask);
        if ((value & 3) < 2) ENV64(core, ENV_STVEC) = value;
        return 0;
    case CSR_SIP:
        *old = interrupts_pending(core);
        write_pending(core, value, mask);
        return 0;
    case CSR_STIMECMP:
        *old = core->state.arch.timer.compare;
        if (mask) timer_set(core, merged(*old, value, mask));
        return 0;
    case CSR_SATP:
        *old = ENV64(core, ENV_SATP);
        if (mask) write_satp(core, merged(*old, value, mask));
        return 0;
    case CSR_SIREG: return access_file(core, old, value, mask);
    case CSR_STOPEI: access_stopei(core, old, mask); return 0;
    case CSR_STOPI: *old = read_stopi(core); return 0;
    default: return REFUSED;
    }
}

/* Of instructions, those before the one that asks. Under the host's clock a cycle is a nanosecond. */
static int read_counter(struct core *core, unsigned csr, uint64_t *old) {
    if (csr != CSR_TIME && !core->arch.counters) return REFUSED;
    if (in_user_mode(core) && !(ENV64(core, ENV_SCOUNTEREN) >> (csr - CSR_CYCLE) & 1)) return REFUSED;
    if (csr == CSR_TIME) polling_look(core);
    if (csr == CSR_INSTRET) *old = core_retired(core) - 1;
    else *old = csr == CSR_TIME ? clock_ticks(core, clock_seen(core)) : clock_seen(core);
    return 0;
}

static int access_csr(struct core *core, unsigned csr, uint64_t *old, uint64_t value, uint64_t mask) {
    if (mask && IS_READ_ONLY(csr)) return REFUSED;
    if (csr >= CSR_CYCLE && csr <= CSR_INSTRET) return read_counter(core, csr, old);
    if (LEVEL(csr) != LEVEL_S || in_user_mode(core) || !is_supervisor(core, csr)) return REFUSED;
    timer_look(core);
    int refused = access_supervisor(core, csr, old, value, mask);
    interrupts_update(core);
    if (mask && csr == CSR_SIE && core->hz) clock_plan(core); /* the timer may be armed now */
    return refused;
}

EXPORT int riscv_csrrw_riscv64(void *env, int csr, uint64_t *result, uint64_t value, uint64_t mask) {
    struct core *core = running;
    if (!core || core->env != env || (csr >= CSR_FFLAGS && csr <= CSR_FCSR)) return riscv.csrrw(env, csr, result, value, mask);
    uint64_t old = 0;
    if (access_csr(core, (unsigned)csr, &old, value, mask)) return REFUSED;
    if (result) *result = old;
    return 0;
}
