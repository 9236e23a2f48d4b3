/* Of float.c */
#define FLOAT_MODES 5
#define FLOAT_INEXACT 1u
#define STATUS_FS_INITIAL (1u << 13)

static inline void float_on(void) { __asm__ volatile("csrs sstatus, %0" : : "r"(STATUS_FS_INITIAL)); }
static inline void float_mode(unsigned mode, unsigned how) {
    (void)how;
    __asm__ volatile("csrw frm, %0" : : "r"(mode));
}
static inline void float_flags_set(uint64_t flags) { __asm__ volatile("csrw fflags, %0" : : "r"(flags)); }
static inline uint64_t float_flags(void) { return READ_REGISTER("fflags"); }

#define IN_DOUBLE "fmv.d.x fa0, %1\n\tfmv.d.x fa1, %2\n\tfmv.d.x fa2, %3\n\t"
#define IN_SINGLE "fmv.w.x fa0, %1\n\tfmv.w.x fa1, %2\n\tfmv.w.x fa2, %3\n\t"
#define INSTRUCTION(name, in, text)                            \
    static uint64_t name(uint64_t a, uint64_t b, uint64_t c) { \
        uint64_t result;                                       \
        __asm__ volatile(in text                               \
                         : "=r"(result)                        \
                         : "r"(a), "r"(b), "r"(c)              \
                         : "fa0", "fa1", "fa2");               \
        return result;                                         \
    }

#define TWO "fa0, fa0, fa1"
#define THREE "fa0, fa0, fa1, fa2"
#define ARITHMETIC(X, f)                                                                                                \
    X(f, fadd, TWO) X(f, fsub, TWO) X(f, fmul, TWO) X(f, fdiv, TWO) X(f, fsqrt, "fa0, fa0") X(f, fmin, TWO)             \
    X(f, fmax, TWO) X(f, fmadd, THREE) X(f, fmsub, THREE) X(f, fnmadd, THREE) X(f, fnmsub, THREE)
#define COMPARISONS(X, f) X(f, feq, "%0, fa0, fa1") X(f, flt, "%0, fa0, fa1") X(f, fle, "%0, fa0, fa1")

#define TO_FLOAT(f, name, registers) INSTRUCTION(name##_##f, IN_##f, #name FORMAT_##f " " registers "\n\tfmv.x.d %0, fa0")
#define TO_X(f, name, registers) INSTRUCTION(name##_##f, IN_##f, #name FORMAT_##f " " registers)
#define FORMAT_DOUBLE ".d"
#define FORMAT_SINGLE ".s"
#define CONVERSIONS(f, type)                                                                                            \
    INSTRUCTION(fcvt_##type##_##f, IN_##f, "fcvt." #type FORMAT_##f " %0, fa0")                                         \
    INSTRUCTION(fcvt_##f##_##type, "", "fcvt" FORMAT_##f "." #type " fa0, %1\n\tfmv.x.d %0, fa0")
#define OF_FORMAT(f)                                                                                                    \
    ARITHMETIC(TO_FLOAT, f)                                                                                             \
    COMPARISONS(TO_X, f)                                                                                                \
    CONVERSIONS(f, w) CONVERSIONS(f, wu) CONVERSIONS(f, l) CONVERSIONS(f, lu)                                           \
    INSTRUCTION(fcvt_w_rtz_##f, IN_##f, "fcvt.w" FORMAT_##f " %0, fa0, rtz")                                            \
    INSTRUCTION(fcvt_l_rdn_##f, IN_##f, "fcvt.l" FORMAT_##f " %0, fa0, rdn")                                            \
    INSTRUCTION(fclass_##f, IN_##f, "fclass" FORMAT_##f " %0, fa0")
OF_FORMAT(DOUBLE)
OF_FORMAT(SINGLE)
INSTRUCTION(fcvt_s_d, IN_DOUBLE, "fcvt.s.d fa0, fa0\n\tfmv.x.d %0, fa0")
INSTRUCTION(fcvt_d_s, IN_SINGLE, "fcvt.d.s fa0, fa0\n\tfmv.x.d %0, fa0")
INSTRUCTION(unboxed, IN_DOUBLE, "fmadd.s fa0, fa0, fa1, fa2\n\tfmv.x.d %0, fa0")

#define BITS_DOUBLE 64
#define BITS_SINGLE 32
#define NAMED(f, name, registers) {#name FORMAT_##f, name##_##f, BITS_##f},
#define NAMED_CONVERSIONS(f, type)                                                                                      \
    {"fcvt." #type FORMAT_##f, fcvt_##type##_##f, BITS_##f}, {"fcvt" FORMAT_##f "." #type, fcvt_##f##_##type, 0},
#define NAMED_FORMAT(f)                                                                                                 \
    ARITHMETIC(NAMED, f)                                                                                                \
    COMPARISONS(NAMED, f)                                                                                               \
    NAMED_CONVERSIONS(f, w) NAMED_CONVERSIONS(f, wu) NAMED_CONVERSIONS(f, l) NAMED_CONVERSIONS(f, lu)                   \
    {"fcvt.w" FORMAT_##f ", rtz", fcvt_w_rtz_##f, BITS_##f}, {"fcvt.l" FORMAT_##f ", rdn", fcvt_l_rdn_##f, BITS_##f},   \
    {"fclass" FORMAT_##f, fclass_##f, BITS_##f},
static const struct operation operations[] = {
    NAMED_FORMAT(DOUBLE)
    NAMED_FORMAT(SINGLE)
    {"fcvt.s.d", fcvt_s_d, 64},
    {"fcvt.d.s", fcvt_d_s, 32},
    {"fmadd.s without boxes", unboxed, 64},
};
