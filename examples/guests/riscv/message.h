/* Of message.c */

/* 64 bytes, four registers at once; both addresses go on. */
#define COPY_64(to, from, a, b, c, d)                                                                             \
    __asm__ volatile(                                                                                             \
        "ld %2, 0(%1)\n\tld %3, 8(%1)\n\tld %4, 16(%1)\n\tld %5, 24(%1)\n\t"                                      \
        "sd %2, 0(%0)\n\tsd %3, 8(%0)\n\tsd %4, 16(%0)\n\tsd %5, 24(%0)\n\t"                                      \
        "ld %2, 32(%1)\n\tld %3, 40(%1)\n\tld %4, 48(%1)\n\tld %5, 56(%1)\n\t"                                    \
        "sd %2, 32(%0)\n\tsd %3, 40(%0)\n\tsd %4, 48(%0)\n\tsd %5, 56(%0)\n\t"                                    \
        "addi %1, %1, 64\n\taddi %0, %0, 64"                                                                      \
        : "+r"(to), "+r"(from), "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d)                                            \
        :                                                                                                         \
        : "memory")
