/*
 * What the guest tells its CPU of caches and translations, of which the library does nothing (data caches), or does not know how
 * much it is asked (the ASID of a TLBI), for the model of the memory system. Only a core that has one has these registers so.
 */
#include "architecture.h"
#include "armv8/arm.h"
#include "armv8/register_table.h"
#include "leave.h"
#include "modelled.h"
#include "rest.h"

#define CP_SUPPRESS_BLOCK_END 0x8 /* ARM_CP_SUPPRESS_TB_END */

/* What the library has for a register that is looked at here besides. */
static const uint32_t noted[] = {
    /* Arm ARM C5.5: VMALLE1, VAE1, ASIDE1, VAAE1, VALE1, VAALE1; those of CRm 3 are broadcast */
    SYSREG(1, 0, 8, 3, 0), SYSREG(1, 0, 8, 3, 1), SYSREG(1, 0, 8, 3, 2),
    SYSREG(1, 0, 8, 3, 3), SYSREG(1, 0, 8, 3, 5), SYSREG(1, 0, 8, 3, 7),
    SYSREG(1, 0, 8, 7, 0), SYSREG(1, 0, 8, 7, 1), SYSREG(1, 0, 8, 7, 2),
    SYSREG(1, 0, 8, 7, 3), SYSREG(1, 0, 8, 7, 5), SYSREG(1, 0, 8, 7, 7),
    SYSREG(3, 0, 1, 0, 0), /* SCTLR_EL1 */
    SYSREG(3, 0, 2, 0, 0), /* TTBR0_EL1 */
    SYSREG(3, 0, 2, 0, 1), /* TTBR1_EL1 */
    SYSREG(3, 0, 2, 0, 2), /* TCR_EL1 */
};
#define NOTED (sizeof noted / sizeof *noted)
static void (*library_writes[NOTED])(void *env, const void *ri, uint64_t value);

#define CRN(reg) ((reg) >> 7 & 15)
#define CRM(reg) ((reg) >> 3 & 15)
#define OP2(reg) ((reg) & 7)
#define CRN_TLBI 8
#define CRM_BROADCAST 3

static void invalidate_translations(uint32_t reg, uint64_t value) {
    static const enum memsys_tlbi kinds[8] = {MEMSYS_TLBI_STAGE1, MEMSYS_TLBI_VA, MEMSYS_TLBI_ASID, MEMSYS_TLBI_VA_ALL,
                                              MEMSYS_TLBI_STAGE1, MEMSYS_TLBI_VA, MEMSYS_TLBI_STAGE1, MEMSYS_TLBI_VA_ALL};
    uint64_t va = (uint64_t)((int64_t)(value << 20) >> 8); /* bits 55 to 12 are in 43 to 0 */
    modelled_invalidate(running, kinds[OP2(reg)], (uint16_t)(value >> 48), va, CRM(reg) == CRM_BROADCAST);
}

static void note(void *env, const void *ri, uint64_t value) {
    uint32_t reg = register_encoding(ri);
    for (size_t i = 0; i < NOTED; i++)
        if (noted[i] == reg) library_writes[i](env, ri, value);
    if (!running) return;
    if (CRN(reg) == CRN_TLBI) invalidate_translations(reg, value);
    else modelled_translate_anew(running);
}

/* Data caches, by address. DC IVAC is one that cleans, too, on the CPUs that are modelled (Cortex-A53 TRM 6.2.4). */
static void maintain(void *env, const void *ri, uint64_t va) {
    (void)env;
    uint32_t reg = register_encoding(ri);
    uint64_t ipa;
    /* it accesses nothing, so whether tables may be read is to be asked first */
    bool is_mapped = arch_translate(running, va, MMU_DATA_LOAD, &ipa);
    if (running->scratch.arch.walk.blocked) rest_leave(running, running->scratch.arch.granted_from);
    if (!is_mapped) return;
    enum memsys_maintenance what = MEMSYS_CLEAN;
    switch (CRM(reg)) {
    case 6: what = MEMSYS_INVALIDATE; break;
    case 11: what = MEMSYS_CLEAN_UNIFICATION; break;
    case 14: what = MEMSYS_CLEAN_INVALIDATE; break;
    }
    modelled_maintain(running, va, what);
}

static unsigned log2_of(uint32_t number) { return number > 1 ? 32 - (unsigned)__builtin_clz(number - 1) : 0; }

/* By set and way: the way is in the highest bits, the set above those of a line (Arm ARM C5.3.15). */
static void maintain_way(void *env, const void *ri, uint64_t value) {
    (void)env;
    const struct memsys_parameters *parameters = &running->view.memsys->parameters;
    unsigned level = (value >> 1 & 7) + 1, crm = CRM(register_encoding(ri));
    if (level > 2) return;
    uint32_t ways = level == 1 ? parameters->l1d_ways : parameters->l2_ways;
    uint32_t sets = (level == 1 ? parameters->l1d_size : parameters->l2_size) / ways / MEMSYS_LINE;
    uint32_t way = ways > 1 ? (uint32_t)value >> (32 - log2_of(ways)) : 0, set = (uint32_t)value >> MEMSYS_LINE_SHIFT & (sets - 1);
    if (way >= ways) return;
    modelled_maintain_way(running, level, set, way, crm == 6 ? MEMSYS_INVALIDATE : crm == 10 ? MEMSYS_CLEAN : MEMSYS_CLEAN_INVALIDATE);
}

static const uint32_t by_address[] = {
    SYSREG(1, 0, 7, 6, 1),  /* DC IVAC */
    SYSREG(1, 3, 7, 10, 1), /* DC CVAC */
    SYSREG(1, 3, 7, 11, 1), /* DC CVAU */
    SYSREG(1, 3, 7, 14, 1), /* DC CIVAC */
};
static const uint32_t by_way[] = {
    SYSREG(1, 0, 7, 6, 2),  /* DC ISW */
    SYSREG(1, 0, 7, 10, 2), /* DC CSW */
    SYSREG(1, 0, 7, 14, 2), /* DC CISW */
};

/* It was of no effect, and is none that ends a block. */
static int serve(struct core *core, uint32_t reg, void *writefn) {
    if (!register_redefine(core, reg, NULL, writefn)) return -1;
    uint8_t *ri = register_find(core, reg);
    FIELD(int32_t, ri, RI_TYPE) |= CP_SUPPRESS_BLOCK_END;
    if (!FIELD(void *, ri, RI_ACCESSFN)) FIELD(void *, ri, RI_ACCESSFN) = register_allowed;
    return 0;
}

int arch_observe(struct core *core) {
    for (size_t i = 0; i < NOTED; i++) {
        uint8_t *ri = register_find(core, noted[i]);
        void *writefn = ri ? FIELD(void *, ri, RI_WRITEFN) : NULL;
        if (!writefn) {
            python_error(PyExc_ImportError, "libunicorn.so.2 has no system register 0x%x: install unicorn==2.1.4", noted[i]);
            return -1;
        }
        if (writefn != (void *)note) FIELD(void *, &library_writes[i], 0) = writefn;
        FIELD(void *, ri, RI_WRITEFN) = note;
    }
    for (size_t i = 0; i < sizeof by_address / sizeof *by_address; i++)
        if (serve(core, by_address[i], maintain)) return -1;
    for (size_t i = 0; i < sizeof by_way / sizeof *by_way; i++)
        if (serve(core, by_way[i], maintain_way)) return -1;
    return 0;
}
