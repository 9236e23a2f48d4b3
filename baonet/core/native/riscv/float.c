/*
 * Floating point where the library is older than the manual (unprivileged architecture, 21.2, 21.6 and 21.7). It keeps a single in
 * a register without its box, and takes one that has none for what its lower half says; minimum and maximum of a signalling NaN
 * and a number are a NaN there; and infinity by zero, and a quiet NaN, is not invalid.
 *
 * Most is done by functions that its code calls, and these stand in front of them; so do those of arithmetic on doubles, which is
 * done here at once where the host can. Moves and signs it has inline, so these are
 * done here whole (ask.c).
 */
#include "riscv/float.h"

#include "hardfloat.h"
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

static struct float_status *status_of(void *env) { return &FIELD(struct float_status, env, ENV_FLOAT_STATUS); }

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

/* Returns what the host comes to, where it may compute (hardfloat.h): what the manual says otherwise is not among that. */
#define QUICK_SINGLE(name, ...)                                                                   \
    uint32_t result;                                                                              \
    if (likely(float32_quick_##name(__VA_ARGS__, status_of(env), &result))) return box(result)
#define QUICK_DOUBLE(name, ...)                                                                   \
    uint64_t result;                                                                              \
    if (likely(float64_quick_##name(__VA_ARGS__, status_of(env), &result))) return result

#define OF_TWO_SINGLES(name)                                                                      \
    EXPORT uint64_t helper_f##name##_s_riscv64(void *env, uint64_t a, uint64_t b) {               \
        uint32_t one = (uint32_t)unboxed(a), other = (uint32_t)unboxed(b);                        \
        QUICK_SINGLE(name, one, other);                                                           \
        return box(riscv.f##name##_s(env, one, other));                                           \
    }
#define OF_TWO_DOUBLES(name)                                                                      \
    EXPORT uint64_t helper_f##name##_d_riscv64(void *env, uint64_t a, uint64_t b) {               \
        QUICK_DOUBLE(name, a, b);                                                                 \
        return riscv.f##name##_d(env, a, b);                                                      \
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
#define FUSED_SINGLES(name, negated)                                                              \
    EXPORT uint64_t helper_##name##_riscv64(void *env, uint64_t a, uint64_t b, uint64_t c) {      \
        uint32_t one = (uint32_t)unboxed(a), other = (uint32_t)unboxed(b);                        \
        uint32_t third = (uint32_t)unboxed(c);                                                    \
        QUICK_SINGLE(muladd, one, other, third, negated);                                         \
        look_at_product(env, &single, one, other);                                                \
        return box(riscv.name(env, one, other, third));                                           \
    }
#define FUSED_DOUBLES(name, negated)                                                              \
    EXPORT uint64_t helper_##name##_riscv64(void *env, uint64_t a, uint64_t b, uint64_t c) {      \
        QUICK_DOUBLE(muladd, a, b, c, negated);                                                   \
        look_at_product(env, &twice, a, b);                                                       \
        return riscv.name(env, a, b, c);                                                          \
    }
#define TO_SINGLE(name)                                                                           \
    EXPORT uint64_t helper_##name##_riscv64(void *env, uint64_t value) { return box(riscv.name(env, value)); }
#define FROM_SINGLE(name)                                                                         \
    EXPORT uint64_t helper_##name##_riscv64(void *env, uint64_t value) { return riscv.name(env, unboxed(value)); }

OF_TWO_SINGLES(add)
OF_TWO_SINGLES(sub)
OF_TWO_SINGLES(mul)
OF_TWO_SINGLES(div)
OF_TWO_DOUBLES(add)
OF_TWO_DOUBLES(sub)
OF_TWO_DOUBLES(mul)
OF_TWO_DOUBLES(div)
EXTREME_OF_SINGLES(fmin_s)
EXTREME_OF_SINGLES(fmax_s)
EXTREME_OF_DOUBLES(fmin_d)
EXTREME_OF_DOUBLES(fmax_d)
COMPARISON_OF_SINGLES(feq_s)
COMPARISON_OF_SINGLES(flt_s)
COMPARISON_OF_SINGLES(fle_s)
FUSED_SINGLES(fmadd_s, 0)
FUSED_SINGLES(fmsub_s, MULADD_NEGATE_C)
FUSED_SINGLES(fnmadd_s, MULADD_NEGATE_PRODUCT | MULADD_NEGATE_C)
FUSED_SINGLES(fnmsub_s, MULADD_NEGATE_PRODUCT)
FUSED_DOUBLES(fmadd_d, 0)
FUSED_DOUBLES(fmsub_d, MULADD_NEGATE_C)
FUSED_DOUBLES(fnmadd_d, MULADD_NEGATE_PRODUCT | MULADD_NEGATE_C)
FUSED_DOUBLES(fnmsub_d, MULADD_NEGATE_PRODUCT)
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

EXPORT uint64_t helper_fsqrt_s_riscv64(void *env, uint64_t value) {
    uint32_t one = (uint32_t)unboxed(value);
    QUICK_SINGLE(sqrt, one);
    return box(riscv.fsqrt_s(env, one));
}
EXPORT uint64_t helper_fsqrt_d_riscv64(void *env, uint64_t value) {
    QUICK_DOUBLE(sqrt, value);
    return riscv.fsqrt_d(env, value);
}
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
