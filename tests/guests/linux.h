/* Linux as a program without a library has it: system calls (syscall(2)), what it says, and numbers in its arguments. */
#ifndef LINUX_H
#define LINUX_H

#include <stddef.h>
#include <stdint.h>

enum { SYS_WRITE = 64, SYS_EXIT = 93 };

static long call(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

static void say(const char *text) {
    size_t length = 0;
    while (text[length]) length++;
    call(SYS_WRITE, 1, (long)text, (long)length, 0, 0, 0);
}
static void say_number(uint64_t value) {
    char digits[21], *at = digits + 20;
    *at = 0;
    do *--at = (char)('0' + value % 10);
    while (value /= 10);
    say(at);
}
static uint64_t number_of(const char *text) {
    uint64_t value = 0;
    for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (uint64_t)(*text - '0');
    return value;
}
static _Noreturn void leave(int status) {
    for (;;) call(SYS_EXIT, status, 0, 0, 0, 0, 0);
}

#endif
