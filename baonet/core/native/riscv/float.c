/*
 * Floating point where the library is older than the manual (unprivileged architecture, 21.2, 21.6 and 21.7). It keeps a single in
 * a register without its box, and takes one that has none for what its lower half says; minimum and maximum of a signalling NaN
 * and a number are a NaN there; and infinity by zero, and a quiet NaN, is not invalid.
 *
 * Most is done by functions that its code calls, and these stand in front of them. Moves and signs it has inline, so these are
 * done here whole (ask.c).
 */
#include "riscv/float.h"

#include "riscv/encoding.h"
#include "riscv/registers.h"
#include "riscv/riscv.h"

#define BOX 0xffffffff00000000u
#define SIGN_S 0x80000000u
#define INFINITY_S 0x7f800000u
#define QUIET_S 0x00400000u
#define NAN_S 0x7fc00000u
#define INFINITY_D 0x7ff0000000000000u
#define QUIET_D 0x0008000000000000u
#define FLAG_INVALID 1u /* as the library has it */

static uint64_t box(uint64_t value) { return BOX | (uint32_t)value; }
static uint64_t unboxed(uint64_t value) { return (value & BOX) == BOX ? (uint32_t)value : NAN_S; }

/* Of a value without its sign, in either format. */
struct format {
    uint64_t magnitude, infinity, quiet;
};
static const struct format single = {SIGN_S - 1, INFINITY_S, QUIET_S}, twice = {INT64_MAX, INFINITY_D, QUIET_D};

static bool is_nan(const struct format *format, uint64_t value) { return (value & format->magnitude) > format->infinity; }
static bool is_signalling(const struct format *format, uint64_t value) {
    return is_nan(format, value) && !(value & format->quiet);
}

/* The number beside a signalling NaN. */
static uint64_t number(const struct format *format, uint64_t a, uint64_t b, uint64_t result) {
    if (is_signalling(format, a) && !is_nan(format, b)) return b;
    if (is_signalling(format, b) && !is_nan(format, a)) return a;
    return result;
}

static void look_at_product(void *env, const struct format *format, uint64_t a, uint64_t b) {
    uint64_t one = a & format->magnitude, other = b & format->magnitude;
    if ((one == format->infinity && !other) || (other == format->infinity && !one)) FIELD(uint8_t, env, ENV_FLAGS) |= FLAG_INVALID;
}

#define OF_TWO_SINGLES(name)                                                                      \
    EXPORT uint64_t helper_##name##_riscv64(void *env, uint64_t a, uint64_t b) {                  \
        return box(riscv.name(env, unboxed(a), unboxed(b)));                                      \
    }
#define EXTREME_OF_SINGLES(name)                                                                  \
    EXPORT uint64_t helper_##name##_riscv64(void *env, uint64_t a, uint64_t b) {                  \
        uint64_t one = unboxed(a), other = unboxed(b);                                            \
        return box(number(&single, one, other, riscv.name(env, one, other)));                     \
    }
#define EXTREME_OF_DOUBLES(name)                                                                  \
    EXPORT uint64_t helper_##name##_riscv64(void *env, uint64_t a, uint64_t b) {                  \
        return number(&twice, a, b, riscv.name(env, a, b));                                       \
    }
#define COMPARISON_OF_SINGLES(name)                                                               \
    EXPORT uint64_t helper_##name##_riscv64(void *env, uint64_t a, uint64_t b) {                  \
        return riscv.name(env, unboxed(a), unboxed(b));                                           \
    }
#define FUSED_SINGLES(name)                                                                       \
    EXPORT uint64_t helper_##name##_riscv64(void *env, uint64_t a, uint64_t b, uint64_t c) {      \
        look_at_product(env, &single, unboxed(a), unboxed(b));                                    \
        return box(riscv.name(env, unboxed(a), unboxed(b), unboxed(c)));                          \
    }
#define FUSED_DOUBLES(name)                                                                       \
    EXPORT uint64_t helper_##name##_riscv64(void *env, uint64_t a, uint64_t b, uint64_t c) {      \
        look_at_product(env, &twice, a, b);                                                       \
        return riscv.name(env, a, b, c);                                                          \
    }
#define TO_SINGLE(name)                                                                           \
    EXPORT uint64_t helper_##name##_riscv64(void *env, uint64_t value) { return box(riscv.name(env, value)); }
#define FROM_SINGLE(name)                                                                         \
    EXPORT uint64_t helper_##name##_riscv64(void *env, uint64_t value) { return riscv.name(env, unboxed(value)); }

OF_TWO_SINGLES(fadd_s)
OF_TWO_SINGLES(fsub_s)
OF_TWO_SINGLES(fmul_s)
OF_TWO_SINGLES(fdiv_s)
EXTREME_OF_SINGLES(fmin_s)
EXTREME_OF_SINGLES(fmax_s)
EXTREME_OF_DOUBLES(fmin_d)
EXTREME_OF_DOUBLES(fmax_d)
COMPARISON_OF_SINGLES(feq_s)
COMPARISON_OF_SINGLES(flt_s)
COMPARISON_OF_SINGLES(fle_s)
FUSED_SINGLES(fmadd_s)
FUSED_SINGLES(fmsub_s)
FUSED_SINGLES(fnmadd_s)
FUSED_SINGLES(fnmsub_s)
FUSED_DOUBLES(fmadd_d)
FUSED_DOUBLES(fmsub_d)
FUSED_DOUBLES(fnmadd_d)
FUSED_DOUBLES(fnmsub_d)
TO_SINGLE(fcvt_s_w)
TO_SINGLE(fcvt_s_wu)
TO_SINGLE(fcvt_s_l)
TO_SINGLE(fcvt_s_lu)
TO_SINGLE(fcvt_s_d)
FROM_SINGLE(fcvt_w_s)
FROM_SINGLE(fcvt_wu_s)
FROM_SINGLE(fcvt_l_s)
FROM_SINGLE(fcvt_lu_s)
FROM_SINGLE(fcvt_d_s)

EXPORT uint64_t helper_fsqrt_s_riscv64(void *env, uint64_t value) { return box(riscv.fsqrt_s(env, unboxed(value))); }
EXPORT uint64_t helper_fclass_s_riscv64(uint64_t value) { return riscv.fclass_s(unboxed(value)); }

/* Of a single in its box. */
static uint64_t moved(struct core *core, unsigned operation) {
    const uint64_t *f = &ENV64(core, ENV_FPR);
    unsigned rs1 = operation & 31, rs2 = operation >> 5 & 31;
    if (operation >> 10 == FLOAT_FROM_X) return core_x(core)[rs1];
    uint64_t value = unboxed(f[rs1]), sign = unboxed(f[rs2]);
    switch (operation >> 10) {
    case FLOAT_SIGN: return (value & ~(uint64_t)SIGN_S) | (sign & SIGN_S);
    case FLOAT_OTHER_SIGN: return (value & ~(uint64_t)SIGN_S) | (~sign & SIGN_S);
    default: return value ^ (sign & SIGN_S);
    }
}

void float_move(struct core *core, unsigned to, unsigned operation, uintptr_t from) {
    uint64_t *status = &ENV64(core, ENV_MSTATUS);
    if (!(*status & STATUS_FS)) riscv.raise(core->env, CAUSE_ILLEGAL, from);
    *status |= STATUS_FS;
    (&ENV64(core, ENV_FPR))[to] = box(moved(core, operation));
}
