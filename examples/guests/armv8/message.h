/* Of message.c */

/* 64 bytes, in pairs of registers; both addresses go on. */
#define COPY_64(to, from, a, b, c, d)                                                                          \
    __asm__ volatile(                                                                                          \
        "ldp %2, %3, [%1]\n\tldp %4, %5, [%1, #16]\n\tstp %2, %3, [%0]\n\tstp %4, %5, [%0, #16]\n\t"           \
        "ldp %2, %3, [%1, #32]\n\tldp %4, %5, [%1, #48]\n\tstp %2, %3, [%0, #32]\n\tstp %4, %5, [%0, #48]\n\t" \
        "add %1, %1, #64\n\tadd %0, %0, #64"                                                                   \
        : "+r"(to), "+r"(from), "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d)                                         \
        :                                                                                                      \
        : "memory")
