/* Linux as a program without a library has it: system calls (syscall(2)), what it says, and numbers in its arguments. */
#ifndef LINUX_H
#define LINUX_H

#include <stddef.h>
#include <stdint.h>

enum { SYS_WRITE = 64, SYS_EXIT = 93, SYS_CLONE = 220 };

#include "port.h"

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
