/* Lines on the console. A line is made in memory first and then sent as one piece. */
#include <stdarg.h>

#include "guest.h"
#include "uart.h"

static uint32_t sending;

/* Without the MMU memory need not be cacheable, so that nothing atomic need work; such a guest has one vCPU. */
static void acquire(void) {
#if MMU
    lock(&sending);
#endif
}

static char *put_number(char *to, uint64_t value, unsigned base) {
    char digits[20];
    unsigned count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count) *to++ = digits[--count];
    return to;
}

void print_line(const char *format, ...) {
    char line[256], *end = line;
    va_list arguments;
    va_start(arguments, format);
    for (; *format; format++) {
        if (*format != '%') {
            *end++ = *format;
            continue;
        }
        switch (*++format) {
        case 's':
            for (const char *text = va_arg(arguments, const char *); *text;) *end++ = *text++;
            break;
        case 'x':
            *end++ = '0';
            *end++ = 'x';
            end = put_number(end, va_arg(arguments, uint64_t), 16);
            break;
        case 'd': {
            int64_t value = va_arg(arguments, int64_t);
            if (value < 0) *end++ = '-';
            end = put_number(end, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
            break;
        }
        default: end = put_number(end, va_arg(arguments, uint64_t), 10);
        }
    }
    va_end(arguments);
    *end++ = '\r';
    *end++ = '\n';
    acquire();
    for (char *next = line; next < end; next++) {
        while (uart_is_full()) {}
        uart_send((uint8_t)*next);
    }
    STORE(&sending, 0);
}

void *memset(void *to, int value, size_t size) {
    for (uint8_t *p = to; size--;) *p++ = (uint8_t)value;
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    const uint8_t *source = from;
    for (uint8_t *p = to; size--;) *p++ = *source++;
    return to;
}
