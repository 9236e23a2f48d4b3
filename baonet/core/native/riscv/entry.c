/* Making a RISC-V core, and the entry state of its vCPU (Bao: vcpu_arch_reset). */
#include <string.h>
#include <unicorn/unicorn.h>

#include "architecture.h"
#include "riscv/file.h"
#include "riscv/interrupts.h"
#include "riscv/registers.h"
#include "riscv/riscv.h"
#include "riscv/timer.h"

#define MISA 0x800000000014112du /* RV64 with I, M, A, F, D, C, S, U */
#define PRIV_M 3u
#define A0 10
#define A1 11

/* What firmware leaves, and Bao as it is: all counters for U mode, and this in each FP register. */
#define COUNTERS 7u
#define FP_REGISTER 0xffffffff00000000u

int arch_init(struct core *core, PyObject *keywords) {
    static char *names[] = {"hart", "sstc", "aia", "identities", "counters", NULL};
    struct arch_wiring *wiring = &core->arch;
    unsigned long long hart;
    int sstc, aia, counters = 0;
    PyObject *nothing = PyTuple_New(0);
    wiring->identities = 255;
    int parsed = nothing && PyArg_ParseTupleAndKeywords(nothing, keywords, "Kpp|Ip", names, &hart, &sstc, &aia, &wiring->identities, &counters);
    Py_XDECREF(nothing);
    if (!parsed) return -1;
    if (wiring->identities % 64 != 63 || wiring->identities >= FILE_IDENTITIES) {
        PyErr_SetString(PyExc_ValueError, "identities: 63, 127, 191 ... 2047");
        return -1;
    }
    wiring->hart = hart;
    wiring->sstc = sstc;
    wiring->aia = aia;
    wiring->counters = counters;
    core->cpu_model = UC_CPU_RISCV64_SIFIVE_U54;
    return 0;
}

bool arch_translates_alike(const struct arch_wiring *one, const struct arch_wiring *other) {
    (void)one, (void)other; /* what harts have differs in registers only, which are asked for by their numbers */
    return true;
}

int arch_configure(void *uc) {
    (void)uc;
    return 0;
}

/*
 * An EBREAK comes as an exception, as all others, and not as an error of the library's. And a hart that is not on yet is in no mode
 * that a guest is never in: it is saved and loaded with the others.
 */
int arch_define(struct core *core) {
    if (core_pc(core) || ENV64(core, ENV_PRIV) != PRIV_M || ENV64(core, ENV_MISA) != MISA) {
        PyErr_SetString(PyExc_ImportError, "libunicorn.so.2 is laid out in another way: install unicorn==2.1.4");
        return -1;
    }
    FIELD(void *, core->uc, UC_STOP_INTERRUPT) = NULL;
    ENV64(core, ENV_PRIV) = PRIV_S;
    return 0;
}

/* What a guest cannot change of what is kept, from and to. */
static const struct {
    size_t from, to;
} fixed[] = {{ENV_PRIV_VER, ENV_PRIV}, {ENV_PRIV + 8, ENV_MSTATUS}, {ENV_SCAUSE + 8, ENV_SCOUNTEREN}, {ENV_SSCRATCH + 8, ENV_KEPT}};

/* The library aborts in a mode that is not there, and the walk relies on satp, and on instructions at even addresses. */
bool arch_plausible(struct core *core, const struct arch_state *state, const void *cpu) {
    if (BYTE(state->timer.fired) > 1 || state->lines & ~SIP_ALL || !file_plausible(core, &state->file)) return false;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (memcmp((const uint8_t *)cpu + fixed[i].from, core->env + fixed[i].from, fixed[i].to - fixed[i].from)) return false;
    uint64_t mode = FIELD(const uint64_t, cpu, ENV_SATP) >> 60;
    if (mode && (mode < 8 || mode > 10)) return false;
    if ((FIELD(const uint64_t, cpu, ENV_PC) | FIELD(const uint64_t, cpu, ENV_SEPC)) & 1) return false;
    return FIELD(const uint64_t, cpu, ENV_PRIV) <= PRIV_S && FIELD(const uint64_t, cpu, ENV_FRM) < 8;
}

void arch_forget_host(void *cpu) { (void)cpu; }

void arch_renew(struct core *core) {
    FIELD(uint8_t, core->env, ENV_FLAGS) = core->state.arch.flags;
    timer_renew(core);
}

/* x0 is nowhere in the library, and is seen all the same. */
void arch_adopt(struct core *core) { core_x(core)[0] = 0; }
void arch_expose(struct core *core) { core->state.arch.flags = FIELD(uint8_t, core->env, ENV_FLAGS); }

/* The hypervisor enters by sepc, whose bit 0 is 0 (Privileged Architecture, 4.1.7). */
void arch_restart(struct core *core, uint64_t entry, uint64_t context) {
    static const size_t cleared[] = {ENV_STVEC, ENV_SSCRATCH, ENV_SEPC, ENV_SCAUSE, ENV_STVAL, ENV_SATP, ENV_MIE};
    for (size_t i = 0; i < sizeof cleared / sizeof *cleared; i++) ENV64(core, cleared[i]) = 0;
    core->state.arch.lines = core->state.arch.senvcfg = 0;
    ENV64(core, ENV_MSTATUS) = STATUS_FS;
    ENV64(core, ENV_PRIV) = PRIV_S;
    ENV64(core, ENV_LOAD_RES) = UINT64_MAX;
    memset(core_x(core), 0, ARCH_REGISTERS * sizeof(uint64_t));
    core_x(core)[A0] = core->arch.hart;
    core_x(core)[A1] = context;
    core_pc(core) = entry & ~(uint64_t)1;
    unicorn.tlb_flush(core->cpu);
    interrupts_update(core);
}

/* stimecmp is 0, and so has fired already. The interrupt file is no part of the hart: messages come before it is started, too. */
void arch_reset(struct core *core, uint64_t entry, uint64_t context) {
    core->state.arch = (struct arch_state){
        .timer = {.compare = core->arch.sstc ? 0 : NEVER, .fired = core->arch.sstc},
        .file = core->state.arch.file,
    };
    for (int i = 0; i < 32; i++) (&ENV64(core, ENV_FPR))[i] = FP_REGISTER;
    ENV64(core, ENV_SCOUNTEREN) = COUNTERS;
    ENV64(core, ENV_FRM) = 0;
    arch_renew(core);
    arch_restart(core, entry, context);
}
