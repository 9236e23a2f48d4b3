/*
 * The flags that a block is found by. The library makes them from the state of the CPU; those added here are free in it, and
 * tell what alignment the code asks for and whether SETEND is there, so that this is decided once a block.
 */
#include "armv8/flags.h"

#include "armv8/arm.h"
#include "armv8/debug_state.h"

#define SCTLR_A 2u
#define SCTLR_SED 0x100u
#define SCTLR_SA 8u
#define SCTLR_SA0 16u

#define FLAG_SCTLR_B (1u << 15) /* A32 and T32: it takes SCTLR_EL1.ITD for the SCTLR.B that Armv6 had */

/* With translation off all data accesses are to Device memory. */
bool flags_translates(void *env) { return FIELD(uint64_t, env, ENV_SCTLR_EL1) & SCTLR_M; }

static void add_flags(void *env) {
    uint32_t *flags = &FIELD(uint32_t, env, ENV_HFLAGS);
    if (debug_locked(env)) *flags &= ~FLAG_STEP;
    uint64_t sctlr = FIELD(uint64_t, env, ENV_SCTLR_EL1);
    if (!flags_translates(env) || sctlr & SCTLR_A) *flags |= FLAG_ALIGNED;
    if (!(*flags & FLAG_A64)) {
        *flags &= ~FLAG_SCTLR_B;
        if (sctlr & SCTLR_SED) *flags |= FLAG_NO_SETEND;
        return;
    }
    bool privileged = FIELD(uint32_t, env, ENV_PSTATE) & PSTATE_EL;
    if (sctlr & (privileged ? SCTLR_SA : SCTLR_SA0)) *flags |= FLAG_STACK;
}

EXPORT void arm_rebuild_hflags_aarch64(void *env) {
    arm.rebuild_hflags(env);
    add_flags(env);
}

EXPORT void helper_rebuild_hflags_a64_aarch64(void *env, int el) {
    arm.rebuild_hflags_a64(env, el);
    add_flags(env);
}

EXPORT void helper_rebuild_hflags_a32_aarch64(void *env, int el) {
    arm.rebuild_hflags_a32(env, el);
    add_flags(env);
}
