/* Of far.c */

#define LOAD_32(a, b, c, d, at)                                  \
    __asm__ volatile("ldp %0, %1, [%4]\n\tldp %2, %3, [%4, #16]" \
                     : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d)    \
                     : "r"(at)                                   \
                     : "memory")
