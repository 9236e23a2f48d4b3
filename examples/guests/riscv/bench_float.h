/* Of bench_float.c */
#define STATUS_FS_INITIAL (1u << 13)

static inline void float_on(void) { __asm__ volatile("csrs sstatus, %0" : : "r"(STATUS_FS_INITIAL)); }
static inline double square_root(double value) {
    double root;
    __asm__("fsqrt.d %0, %1" : "=f"(root) : "f"(value));
    return root;
}
