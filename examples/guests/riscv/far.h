/* Of far.c */

#define LOAD_32(a, b, c, d, at)                                                                       \
    __asm__ volatile("ld %0, 0(%4)\n\tld %1, 8(%4)\n\tld %2, 16(%4)\n\tld %3, 24(%4)"                 \
                     : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d)                                         \
                     : "r"(at)                                                                        \
                     : "memory")
