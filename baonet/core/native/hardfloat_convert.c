/*
 * Conversions of floating point, rounding to an integer, minimum and maximum. Here it is seen at once whether a result is exact, so
 * the flag is set where it is not, and all modes of rounding that a guest can choose are done with integers.
 */
#include "hardfloat.h"

/* To an integral value, of a normal number or zero; false: not in this mode. `inexact`: it was none. */
#define TO_INTEGRAL(bits, word)                                                                                         \
    static bool float##bits##_to_integral(word a, int rounding, word *result, bool *inexact) {                          \
        const int fraction = FLOAT##bits##_FRACTION, bias = FLOAT##bits##_EXPONENTS / 2;                                \
        const word sign = a & (word)1 << (bits - 1), one = (word)bias << fraction;                                      \
        int exponent = (int)float##bits##_exponent(a) - bias;                                                           \
        *result = a;                                                                                                    \
        *inexact = false;                                                                                               \
        if (exponent >= fraction || float##bits##_is_zero(a)) return true;                                              \
        if (exponent < 0) {                                                                                             \
            bool away;                                                                                                  \
            switch (rounding) {                                                                                         \
            case ROUND_NEAREST: away = exponent == -1 && (word)(a << (bits - fraction)); break;                         \
            case ROUND_TIES_AWAY: away = exponent == -1; break;                                                         \
            case ROUND_TO_ZERO: away = false; break;                                                                    \
            case ROUND_UP: away = !sign; break;                                                                         \
            case ROUND_DOWN: away = sign; break;                                                                        \
            default: return false;                                                                                      \
            }                                                                                                           \
            *inexact = true;                                                                                            \
            *result = sign | (away ? one : 0);                                                                          \
            return true;                                                                                                \
        }                                                                                                               \
        const word unit = (word)1 << (fraction - exponent), below = unit - 1;                                           \
        if (!(a & below)) return true;                                                                                  \
        switch (rounding) { /* a carry into the exponent is right */                                                    \
        case ROUND_NEAREST: a += below / 2 + !!(a & unit); break;                                                       \
        case ROUND_TIES_AWAY: a += unit / 2; break;                                                                     \
        case ROUND_TO_ZERO: break;                                                                                      \
        case ROUND_UP: a += sign ? 0 : below; break;                                                                    \
        case ROUND_DOWN: a += sign ? below : 0; break;                                                                  \
        default: return false;                                                                                          \
        }                                                                                                               \
        *inexact = true;                                                                                                \
        *result = a & ~below;                                                                                           \
        return true;                                                                                                    \
    }                                                                                                                   \
    EXPORT word ARCH(float##bits##_round_to_int)(word a, void *status) {                                                \
        struct float_status *flags = status;                                                                            \
        word result;                                                                                                    \
        bool inexact;                                                                                                   \
        if (!float##bits##_is_ordinary(a) || !float##bits##_to_integral(a, flags->rounding, &result, &inexact))         \
            return softfloat.float##bits##_round_to_int(a, status);                                                     \
        if (inexact) float_raise_inexact(flags);                                                                        \
        return result;                                                                                                  \
    }

TO_INTEGRAL(32, uint32_t)
TO_INTEGRAL(64, uint64_t)

/*
 * To an integer, of which the host has 64 bits with a sign: it says the least one of all that does not fit, and of NaNs. From an
 * integer: inexact where it does not come back.
 */
#define INTEGER(bits, word, name, integer)                                                                              \
    EXPORT integer ARCH(float##bits##_to_##name##_scalbn)(word a, int rounding, int scale, void *status) {              \
        word integral;                                                                                                  \
        bool inexact;                                                                                                   \
        if (!scale && float##bits##_is_ordinary(a) && float##bits##_to_integral(a, rounding, &integral, &inexact)) {    \
            int64_t value = float##bits##_to_host(integral);                                                            \
            bool fits = value == (int64_t)(integer)value && (value > 0) == ((integer)value > 0);                        \
            if (fits && value != INT64_MIN) {                                                                           \
                if (inexact) float_raise_inexact(status);                                                               \
                return (integer)value;                                                                                  \
            }                                                                                                           \
        }                                                                                                               \
        return softfloat.float##bits##_to_##name##_scalbn(a, rounding, scale, status);                                  \
    }                                                                                                                   \
    EXPORT word ARCH(name##_to_float##bits##_scalbn)(integer a, int scale, void *status) {                              \
        struct float_status *flags = status;                                                                            \
        if (!scale && (a > 0) == ((int64_t)a > 0)) {                                                                    \
            word result = float##bits##_from_host((int64_t)a);                                                          \
            bool inexact = float##bits##_to_host(result) != (int64_t)a;                                                 \
            if (!inexact || flags->rounding == ROUND_NEAREST) {                                                         \
                if (inexact) float_raise_inexact(flags);                                                                \
                return result;                                                                                          \
            }                                                                                                           \
        }                                                                                                               \
        return softfloat.name##_to_float##bits##_scalbn(a, scale, status);                                              \
    }

static inline int64_t float32_to_host(uint32_t a) { return _mm_cvttss_si64(_mm_set_ss(float32_value(a))); }
static inline int64_t float64_to_host(uint64_t a) { return _mm_cvttsd_si64(_mm_set_sd(float64_value(a))); }
static inline uint32_t float32_from_host(int64_t a) { return float32_pattern((float)a); }
static inline uint64_t float64_from_host(int64_t a) { return float64_pattern((double)a); }

FLOAT_INTEGERS(INTEGER, 32, uint32_t)
FLOAT_INTEGERS(INTEGER, 64, uint64_t)

EXPORT uint32_t ARCH(float64_to_float32)(uint64_t a, void *status) {
    struct float_status *flags = status;
    uint32_t result = float32_pattern((float)float64_value(a));
    if (float32_is_fine(result)) {
        bool inexact = float64_pattern(float32_value(result)) != a;
        if (!inexact || flags->rounding == ROUND_NEAREST) {
            if (inexact) float_raise_inexact(flags);
            return result;
        }
    }
    if (float64_is_zero(a)) return result;
    return softfloat.float64_to_float32(a, status);
}

/* Of normal numbers and zeros, of which -0 is the less one. As integers those with a sign are in the other order. */
#define EXTREME(bits, word, name, relation)                                                                             \
    EXPORT word ARCH(float##bits##_##name)(word a, word b, void *status) {                                              \
        if (!float##bits##_is_ordinary(a) || !float##bits##_is_ordinary(b))                                             \
            return softfloat.float##bits##_##name(a, b, status);                                                        \
        word sign = (word)1 << (bits - 1);                                                                              \
        word one = a & sign ? ~a : a | sign, other = b & sign ? ~b : b | sign;                                          \
        return one relation other ? a : b;                                                                              \
    }
#define EXTREMES(bits, word)                                                                                            \
    EXTREME(bits, word, min, <)                                                                                         \
    EXTREME(bits, word, max, >)                                                                                         \
    EXTREME(bits, word, minnum, <)                                                                                      \
    EXTREME(bits, word, maxnum, >)

EXTREMES(32, uint32_t)
EXTREMES(64, uint64_t)
