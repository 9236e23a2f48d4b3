/*
 * Floating point by the host's own instructions, where these come to what the library's functions come to, bit by bit and flag by
 * flag. The library computes with integers, or asks libc of what kind each operand is.
 *
 * Host and guest are of IEEE 754: they have the same result of the same operands, but for NaNs, if both round to nearest and
 * neither takes a number below the normal ones for zero. What they tell of it differs: the host's flags are not looked at, as
 * that takes longer than to compute. So the host does it if no flag can be new: inexact is set already, as it is nearly always
 * when a guest has computed for a while, and the result is an ordinary number (float64_is_fine), by which no operand was a NaN or
 * infinite, nothing overflowed or underflowed, and nothing was flushed at the output. An operand below the normal ones is one
 * like others, unless the guest takes it for zero. All else is left to the library.
 *
 * The host rounds to nearest while a guest runs: host_rounding.h.
 */
#ifndef BAONET_HARDFLOAT_H
#define BAONET_HARDFLOAT_H

#include <emmintrin.h>
#include <string.h>

#include "library.h"

#if !defined(__SSE2_MATH__) || defined(__FAST_MATH__)
#error "floating point is to be computed by SSE, and as it is written"
#endif

#define likely(x) __builtin_expect(!!(x), 1)

/* The library's. */
struct float_status {
    int8_t tininess, rounding;
    uint8_t flags;
    int8_t extended_precision;
    uint8_t flush_outputs, flush_inputs, default_nan, signalling_bit;
};
enum { ROUND_NEAREST, ROUND_DOWN, ROUND_UP, ROUND_TO_ZERO, ROUND_TIES_AWAY, ROUND_TO_ODD };
#define FLOAT_INEXACT 32u
enum { MULADD_NEGATE_C = 1, MULADD_NEGATE_PRODUCT = 2, MULADD_NEGATE_RESULT = 4, MULADD_HALVE = 8 };

static inline bool float_rounds(const struct float_status *status) {
    return status->rounding == ROUND_NEAREST && status->flags & FLOAT_INEXACT;
}

static inline void float_raise_inexact(struct float_status *status) {
    if (!(status->flags & FLOAT_INEXACT)) status->flags |= FLOAT_INEXACT;
}

/*
 * A format: whether a number is finite and more than the least normal one; whether it is normal or zero; the four operations.
 * The least normal number is none of the fine ones: it may come of rounding what is below it, which is an underflow.
 */
#define FLOAT_FORMAT(bits, type, word, fraction, exponents)                                                             \
    enum { FLOAT##bits##_FRACTION = fraction, FLOAT##bits##_EXPONENTS = exponents };                                    \
    static inline type float##bits##_value(word pattern) {                                                              \
        type value;                                                                                                     \
        memcpy(&value, &pattern, sizeof value);                                                                         \
        return value;                                                                                                   \
    }                                                                                                                   \
    static inline word float##bits##_pattern(type value) {                                                              \
        word pattern;                                                                                                   \
        memcpy(&pattern, &value, sizeof pattern);                                                                       \
        return pattern;                                                                                                 \
    }                                                                                                                   \
    static inline unsigned float##bits##_exponent(word pattern) { return pattern >> fraction & exponents; }             \
    static inline bool float##bits##_is_fine(word pattern) {                                                            \
        return float##bits##_exponent(pattern) - 2u < exponents - 2u;                                                   \
    }                                                                                                                   \
    static inline bool float##bits##_is_zero(word pattern) { return !(word)(pattern << 1); }                            \
    static inline bool float##bits##_is_normal(word pattern) {                                                          \
        return float##bits##_exponent(pattern) - 1u < exponents - 1u;                                                   \
    }                                                                                                                   \
    static inline bool float##bits##_is_ordinary(word pattern) {                                                        \
        return float##bits##_is_normal(pattern) || float##bits##_is_zero(pattern);                                      \
    }                                                                                                                   \
    static inline word float##bits##_host_add(word a, word b) {                                                         \
        return float##bits##_pattern(float##bits##_value(a) + float##bits##_value(b));                                  \
    }                                                                                                                   \
    static inline word float##bits##_host_sub(word a, word b) {                                                         \
        return float##bits##_pattern(float##bits##_value(a) - float##bits##_value(b));                                  \
    }                                                                                                                   \
    static inline word float##bits##_host_mul(word a, word b) {                                                         \
        return float##bits##_pattern(float##bits##_value(a) * float##bits##_value(b));                                  \
    }                                                                                                                   \
    static inline word float##bits##_host_div(word a, word b) {                                                         \
        return float##bits##_pattern(float##bits##_value(a) / float##bits##_value(b));                                  \
    }

FLOAT_FORMAT(32, float, uint32_t, 23, 0xff)
FLOAT_FORMAT(64, double, uint64_t, 52, 0x7ff)

static inline uint32_t float32_host_sqrt(uint32_t a) {
    return float32_pattern(_mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(float32_value(a)))));
}
static inline uint64_t float64_host_sqrt(uint64_t a) {
    __m128d value = _mm_set_sd(float64_value(a));
    return float64_pattern(_mm_cvtsd_f64(_mm_sqrt_sd(value, value)));
}

/* A host may lack it. */
extern bool hardfloat_fuses;

static inline uint32_t float32_host_fma(uint32_t a, uint32_t b, uint32_t c) {
    float sum = float32_value(c);
    __asm__("vfmadd231ss %2, %1, %0" : "+x"(sum) : "x"(float32_value(a)), "x"(float32_value(b)));
    return float32_pattern(sum);
}
static inline uint64_t float64_host_fma(uint64_t a, uint64_t b, uint64_t c) {
    double sum = float64_value(c);
    __asm__("vfmadd231sd %2, %1, %0" : "+x"(sum) : "x"(float64_value(a)), "x"(float64_value(b)));
    return float64_pattern(sum);
}

/*
 * What nearly all operations of a guest are: true with the result, or false. Not for what is left then, which the functions in
 * hardfloat.c know: zeros, and guests that take small operands for zero.
 */
#define FLOAT_QUICK_OF_TWO(bits, word, name)                                                                            \
    static inline bool float##bits##_quick_##name(word a, word b, const struct float_status *status, word *result) {    \
        *result = float##bits##_host_##name(a, b);                                                                      \
        return float_rounds(status) && !status->flush_inputs && float##bits##_is_fine(*result);                         \
    }
#define FLOAT_QUICK(bits, word)                                                                                         \
    FLOAT_QUICK_OF_TWO(bits, word, add)                                                                                 \
    FLOAT_QUICK_OF_TWO(bits, word, sub)                                                                                 \
    FLOAT_QUICK_OF_TWO(bits, word, mul)                                                                                 \
    FLOAT_QUICK_OF_TWO(bits, word, div)                                                                                 \
    static inline bool float##bits##_quick_sqrt(word a, const struct float_status *status, word *result) {              \
        *result = float##bits##_host_sqrt(a);                                                                           \
        return float_rounds(status) && !status->flush_inputs && float##bits##_is_fine(*result);                         \
    }                                                                                                                   \
    /* `negated` of MULADD_*. */                                                                                        \
    static inline bool float##bits##_quick_muladd(word a, word b, word c, int negated,                                  \
                                                  const struct float_status *status, word *result) {                    \
        if (!hardfloat_fuses || negated & MULADD_HALVE) return false;                                                   \
        word sign = (word)1 << (bits - 1), flags = (word)negated;                                                       \
        a ^= flags << (bits - 2) & sign;                                                                                \
        c ^= flags << (bits - 1);                                                                                       \
        *result = float##bits##_host_fma(a, b, c) ^ (flags << (bits - 3) & sign);                                       \
        return float_rounds(status) && !status->flush_inputs && float##bits##_is_fine(*result);                         \
    }

FLOAT_QUICK(32, uint32_t)
FLOAT_QUICK(64, uint64_t)

/* The library's own functions. */
#define FLOAT_OF_TWO(X, bits, word) X(bits, word, add) X(bits, word, sub) X(bits, word, mul) X(bits, word, div)
#define FLOAT_EXTREMES(X, bits, word) X(bits, word, min) X(bits, word, max) X(bits, word, minnum) X(bits, word, maxnum)
#define FLOAT_INTEGERS(X, bits, word)                                                                                   \
    X(bits, word, int16, int16_t) X(bits, word, int32, int32_t) X(bits, word, int64, int64_t)                           \
    X(bits, word, uint16, uint16_t) X(bits, word, uint32, uint32_t) X(bits, word, uint64, uint64_t)

extern struct softfloat {
#define OF_TWO(bits, word, name) word (*float##bits##_##name)(word, word, void *);
#define INTEGER(bits, word, name, integer)                                                                              \
    integer (*float##bits##_to_##name##_scalbn)(word, int, int, void *);                                                \
    word (*name##_to_float##bits##_scalbn)(integer, int, void *);
#define FORMAT(bits, word)                                                                                              \
    FLOAT_OF_TWO(OF_TWO, bits, word)                                                                                    \
    FLOAT_EXTREMES(OF_TWO, bits, word)                                                                                  \
    FLOAT_INTEGERS(INTEGER, bits, word)                                                                                 \
    word (*float##bits##_sqrt)(word, void *);                                                                           \
    word (*float##bits##_muladd)(word, word, word, int, void *);                                                        \
    word (*float##bits##_round_to_int)(word, void *);
    FORMAT(32, uint32_t)
    FORMAT(64, uint64_t)
#undef FORMAT
#undef INTEGER
#undef OF_TWO
    uint32_t (*float64_to_float32)(uint64_t, void *);
} softfloat;

#endif
