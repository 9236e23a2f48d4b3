/* Of bench_float.c. Floating point does not trap here from the entry on. */
static inline void float_on(void) {}
static inline double square_root(double value) {
    double root;
    __asm__("fsqrt %d0, %d1" : "=w"(root) : "w"(value));
    return root;
}
