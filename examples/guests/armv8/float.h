/* Of float.c */
#define FLOAT_MODES 4
#define FLOAT_INEXACT 16u

static inline void float_on(void) {}
/* FPCR.RMode, and as `how` says FZ and DN. */
static inline void float_mode(unsigned mode, unsigned how) { WRITE_REGISTER("fpcr", (uint64_t)mode << 22 | (uint64_t)how << 24); }
static inline void float_flags_set(uint64_t flags) { WRITE_REGISTER("fpsr", flags); }
static inline uint64_t float_flags(void) { return READ_REGISTER("fpsr"); }

#define INSTRUCTION(name, text)                                               \
    static uint64_t name(uint64_t a, uint64_t b, uint64_t c) {                \
        uint64_t result;                                                      \
        __asm__ volatile("dup v0.2d, %1\n\tdup v1.2d, %2\n\tdup v2.2d, %3\n\t" \
                         text                                                 \
                         : "=r"(result)                                       \
                         : "r"(a), "r"(b), "r"(c)                             \
                         : "v0", "v1", "v2", "cc");                           \
        return result;                                                        \
    }
#define IN_FLOAT(name, text) INSTRUCTION(name, text "\n\tumov %0, v0.d[0]")
#define IN_BOTH(name, text) INSTRUCTION(name, text "\n\tfadd v0.2d, v0.2d, v1.2d\n\tumov %0, v0.d[1]")
#define IN_INTEGER(name, text) INSTRUCTION(name, text)
#define IN_CONDITION(name, text) INSTRUCTION(name, text "\n\tmrs %0, nzcv")

#define SCALARS(X, bits, r)                                                                                             \
    X(bits, fadd, #r "0, " #r "0, " #r "1") X(bits, fsub, #r "0, " #r "0, " #r "1") X(bits, fmul, #r "0, " #r "0, " #r "1") \
    X(bits, fnmul, #r "0, " #r "0, " #r "1") X(bits, fdiv, #r "0, " #r "0, " #r "1") X(bits, fsqrt, #r "0, " #r "0")      \
    X(bits, fmadd, #r "0, " #r "0, " #r "1, " #r "2") X(bits, fmsub, #r "0, " #r "0, " #r "1, " #r "2")                  \
    X(bits, fnmadd, #r "0, " #r "0, " #r "1, " #r "2") X(bits, fnmsub, #r "0, " #r "0, " #r "1, " #r "2")                \
    X(bits, fmin, #r "0, " #r "0, " #r "1") X(bits, fmax, #r "0, " #r "0, " #r "1")                                      \
    X(bits, fminnm, #r "0, " #r "0, " #r "1") X(bits, fmaxnm, #r "0, " #r "0, " #r "1")                                  \
    X(bits, frintn, #r "0, " #r "0") X(bits, frintp, #r "0, " #r "0") X(bits, frintm, #r "0, " #r "0")                   \
    X(bits, frintz, #r "0, " #r "0") X(bits, frinta, #r "0, " #r "0") X(bits, frintx, #r "0, " #r "0")                   \
    X(bits, frinti, #r "0, " #r "0")
#define TO_INTEGERS(X, bits, r)                                                                                         \
    X(bits, fcvtzs, r) X(bits, fcvtzu, r) X(bits, fcvtns, r) X(bits, fcvtnu, r) X(bits, fcvtps, r) X(bits, fcvtmu, r)   \
    X(bits, fcvtas, r) X(bits, fcvtau, r)

#define SCALAR(bits, name, registers) IN_FLOAT(name##bits, #name " " registers)
#define TO_INTEGER(bits, name, r)                                                                                       \
    IN_INTEGER(name##bits##_x, #name " %0, " #r "0") IN_INTEGER(name##bits##_w, #name " %w0, " #r "0")
#define OF_FORMAT(bits, r)                                                                                              \
    SCALARS(SCALAR, bits, r)                                                                                            \
    TO_INTEGERS(TO_INTEGER, bits, r)                                                                                    \
    IN_CONDITION(fcmp##bits, "fcmp " #r "0, " #r "1") IN_CONDITION(fcmpe##bits, "fcmpe " #r "0, " #r "1")               \
    IN_FLOAT(scvtf##bits##_x, "scvtf " #r "0, %1") IN_FLOAT(ucvtf##bits##_x, "ucvtf " #r "0, %1")                       \
    IN_FLOAT(scvtf##bits##_w, "scvtf " #r "0, %w1") IN_FLOAT(ucvtf##bits##_w, "ucvtf " #r "0, %w1")                     \
    IN_FLOAT(scvtf##bits##_8, "scvtf " #r "0, %1, #8")
OF_FORMAT(64, d)
OF_FORMAT(32, s)
IN_FLOAT(fcvt_to_single, "fcvt s0, d0")
IN_FLOAT(fcvt_to_double, "fcvt d0, s0")
IN_BOTH(fmla_2d, "fmla v0.2d, v1.2d, v2.2d")
IN_FLOAT(fmls_4s, "fmls v0.4s, v1.4s, v2.4s")
IN_FLOAT(fadd_4s, "fadd v0.4s, v0.4s, v1.4s")
IN_FLOAT(fdiv_2d, "fdiv v0.2d, v0.2d, v1.2d")
IN_FLOAT(fmaxnm_4s, "fmaxnm v0.4s, v0.4s, v1.4s")
IN_FLOAT(fcmgt_2d, "fcmgt v0.2d, v0.2d, v1.2d")

#define NAMED(bits, name, registers) {#name #bits, name##bits, bits},
#define NAMED_INTEGER(bits, name, r) {#name #bits " x", name##bits##_x, bits}, {#name #bits " w", name##bits##_w, bits},
#define NAMED_FORMAT(bits, r)                                                                                           \
    SCALARS(NAMED, bits, r)                                                                                             \
    TO_INTEGERS(NAMED_INTEGER, bits, r)                                                                                 \
    {"fcmp" #bits, fcmp##bits, bits}, {"fcmpe" #bits, fcmpe##bits, bits}, {"scvtf" #bits " x", scvtf##bits##_x, 0},     \
    {"ucvtf" #bits " x", ucvtf##bits##_x, 0}, {"scvtf" #bits " w", scvtf##bits##_w, 0},                                 \
    {"ucvtf" #bits " w", ucvtf##bits##_w, 0}, {"scvtf" #bits " x, #8", scvtf##bits##_8, 0},
static const struct operation operations[] = {
    NAMED_FORMAT(64, d)
    NAMED_FORMAT(32, s)
    {"fcvt to single", fcvt_to_single, 64},
    {"fcvt to double", fcvt_to_double, 32},
    {"fmla 2d", fmla_2d, 64},
    {"fmls 4s", fmls_4s, 32},
    {"fadd 4s", fadd_4s, 32},
    {"fdiv 2d", fdiv_2d, 64},
    {"fmaxnm 4s", fmaxnm_4s, 32},
    {"fcmgt 2d", fcmgt_2d, 64},
};
