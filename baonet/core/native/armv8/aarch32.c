/*
 * AArch32 at EL0. The library keeps the registers of the two execution states apart; the hypervisor sees the guest as EL2
 * does, in AArch64 state (Arm ARM D1.9.1): R0 to R14 of User mode are X0 to X14, and the PC is what ELR_EL2 would have.
 * So they are put there whenever the guest is left, and taken from there when it is entered.
 */
#include "armv8/aarch32.h"

#include "architecture.h"
#include "armv8/arm.h"
#include "hardfloat.h"
#include "leave.h"

bool aarch32_state(struct core *core) { return !FIELD(uint32_t, core->env, ENV_AARCH64); }

/* Of either execution state, in the format of SPSR_EL2. */
uint64_t aarch32_pstate(struct core *core) {
    uint8_t *env = core->env;
    if (aarch32_state(core)) return arm.read_cpsr(env);
    uint32_t flags = (FIELD(uint32_t, env, ENV_NF) & 1u << 31) | (uint32_t)!FIELD(uint32_t, env, ENV_ZF) << 30 |
                     FIELD(uint32_t, env, ENV_CF) << 29 | (FIELD(uint32_t, env, ENV_VF) & 1u << 31) >> 3;
    return flags | FIELD(uint32_t, env, ENV_PSTATE) | FIELD(uint64_t, env, ENV_DAIF);
}

void arch_expose(struct core *core) {
    if (aarch32_state(core)) arm.sync_32_to_64(core->env);
}

void arch_adopt(struct core *core) {
    if (aarch32_state(core)) arm.sync_64_to_32(core->env);
}

#define SYNDROME_IL 0x02000000u

#define VECTOR_REGISTER 256 /* bytes of a Z register in the library's state; the first 16 are Q<n> */

/* D<n> of a table that begins at `first`: two to a vector register. */
static uint64_t table_of(uint64_t *first, unsigned n) {
    unsigned odd = (uintptr_t)first >> 3 & 1, at = odd + n;
    return FIELD(uint64_t, first - odd, at / 2 * VECTOR_REGISTER + at % 2 * 8);
}

/* VTBL and VTBX (Arm ARM F6.1.318): the library takes the registers of the table to follow one another in its state. */
EXPORT uint32_t helper_neon_tbl_aarch64(uint32_t indices, uint32_t otherwise, void *table, uint32_t length) {
    uint32_t result = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        uint32_t index = indices >> shift & 0xff, byte = otherwise >> shift;
        if (index < length) byte = (uint32_t)(table_of(table, index / 8) >> index % 8 * 8);
        result |= (byte & 0xff) << shift;
    }
    return result;
}

/*
 * VCVT of a fixed-point number rounds to nearest in A32 and T32, whatever FPSCR says; SCVTF and UCVTF, for which
 * the library has the same functions, as FPCR says. Singles of 32 bits alone have to be rounded.
 */
#define OF_FIXED_POINT(name)                                                                    \
    EXPORT uint32_t helper_vfp_##name##_aarch64(uint32_t value, uint32_t fraction, void *flags) { \
        struct float_status *status = flags;                                                    \
        int8_t rounding = status->rounding;                                                     \
        if (running && aarch32_state(running)) status->rounding = ROUND_NEAREST;                \
        uint32_t result = arm.name(value, fraction, status);                                    \
        status->rounding = rounding;                                                            \
        return result;                                                                          \
    }

OF_FIXED_POINT(sltos)
OF_FIXED_POINT(ultos)

/* BKPT, whose T32 form the library describes as 32 bits long. */
EXPORT void helper_exception_bkpt_insn_aarch64(void *env, uint32_t syndrome) {
    bool narrow = running && aarch32_state(running) && FIELD(uint32_t, env, ENV_THUMB);
    arm.breakpoint(env, narrow ? syndrome & ~SYNDROME_IL : syndrome);
}
