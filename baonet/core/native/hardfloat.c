/* The operations of floating point: hardfloat.h says when the host does them. */
#include "hardfloat.h"

struct softfloat softfloat;

const struct symbol softfloat_symbols[] = {
#define SYMBOL(name) {(void **)&softfloat.name, #name ARCH_SUFFIX},
#define OF_TWO(bits, word, name) SYMBOL(float##bits##_##name)
#define INTEGER(bits, word, name, integer) SYMBOL(float##bits##_to_##name##_scalbn) SYMBOL(name##_to_float##bits##_scalbn)
#define FORMAT(bits, word)                                                                                              \
    FLOAT_OF_TWO(OF_TWO, bits, word)                                                                                    \
    FLOAT_EXTREMES(OF_TWO, bits, word)                                                                                  \
    FLOAT_INTEGERS(INTEGER, bits, word)                                                                                 \
    SYMBOL(float##bits##_sqrt) SYMBOL(float##bits##_muladd) SYMBOL(float##bits##_round_to_int)
    FORMAT(32, uint32_t)
    FORMAT(64, uint64_t)
    SYMBOL(float64_to_float32)
#undef FORMAT
#undef INTEGER
#undef OF_TWO
#undef SYMBOL
    {NULL, NULL},
};

bool hardfloat_fuses;

__attribute__((constructor)) static void look_at_host(void) {
    __builtin_cpu_init();
    hardfloat_fuses = __builtin_cpu_supports("fma");
}

/*
 * A result of zero is exact, and has the sign that the library gives it: of a sum always, of a product and a quotient if an
 * operand is zero.
 */
#define OF_TWO(bits, word, name, zero_is_exact)                                                                         \
    EXPORT word ARCH(float##bits##_##name)(word a, word b, void *status) {                                              \
        word result;                                                                                                    \
        if (likely(float##bits##_quick_##name(a, b, status, &result))) return result;                                   \
        if (float_rounds(status) && float##bits##_is_ordinary(a) && float##bits##_is_ordinary(b)) {                     \
            if (float##bits##_is_fine(result)) return result;                                                           \
            if (float##bits##_is_zero(result) && (zero_is_exact)) return result;                                        \
        }                                                                                                               \
        return softfloat.float##bits##_##name(a, b, status);                                                            \
    }
#define FORMAT(bits, word)                                                                                              \
    OF_TWO(bits, word, add, true)                                                                                       \
    OF_TWO(bits, word, sub, true)                                                                                       \
    OF_TWO(bits, word, mul, float##bits##_is_zero(a) || float##bits##_is_zero(b))                                       \
    OF_TWO(bits, word, div, float##bits##_is_zero(a))                                                                   \
    EXPORT word ARCH(float##bits##_sqrt)(word a, void *status) {                                                        \
        word result;                                                                                                    \
        if (likely(float##bits##_quick_sqrt(a, status, &result))) return result;                                        \
        if (float_rounds(status) && float##bits##_is_ordinary(a) && float##bits##_is_fine(result)) return result;       \
        return softfloat.float##bits##_sqrt(a, status);                                                                 \
    }                                                                                                                   \
    EXPORT word ARCH(float##bits##_muladd)(word a, word b, word c, int negated, void *status) {                         \
        word result;                                                                                                    \
        if (likely(float##bits##_quick_muladd(a, b, c, negated, status, &result))) return result;                       \
        if (hardfloat_fuses && !(negated & MULADD_HALVE) && float_rounds(status) && float##bits##_is_ordinary(a) &&     \
            float##bits##_is_ordinary(b) && float##bits##_is_ordinary(c)) {                                             \
            if (float##bits##_is_fine(result)) return result;                                                           \
            if (float##bits##_is_zero(result) && (float##bits##_is_zero(a) || float##bits##_is_zero(b))) return result; \
        }                                                                                                               \
        return softfloat.float##bits##_muladd(a, b, c, negated, status);                                                \
    }

FORMAT(32, uint32_t)
FORMAT(64, uint64_t)
