/* A console that answers: gives back each line that it is sent; `quit` ends. Input comes by the UART's interrupt. */
#include "guest.h"
#include "uart.h"

#define LONGEST 200
#define CAPACITY 4096

static char received[CAPACITY];
static unsigned head, tail;

static void take(void) {
    while (uart_has_received()) {
        char c = uart_receive();
        if (head - tail == CAPACITY) continue; /* too much at once: lost, as on a real line */
        received[head % CAPACITY] = c;
        STORE(&head, head + 1);
    }
}

void on_interrupt(unsigned intid) {
    if (intid != UART_INTID) return;
    uart_acknowledge(); /* before taking: what comes after is told again */
    take();
}

static char next_character(void) {
    SLEEP_UNTIL(LOAD(&head) != tail);
    return received[tail++ % CAPACITY];
}

/* Without its end; CR, LF or both end it. */
static unsigned get_line(char *line) {
    unsigned length = 0;
    for (char c = next_character(); c != '\r' && c != '\n'; c = next_character())
        if (length < LONGEST) line[length++] = c;
    line[length] = 0;
    return length;
}

static bool is_quit(const char *line) {
    return line[0] == 'q' && line[1] == 'u' && line[2] == 'i' && line[3] == 't' && !line[4];
}

void guest_main(void) {
    static char line[LONGEST + 1];
    irqc_init();
    irqc_init_cpu();
    irqc_enable_level(UART_INTID);
    uart_listen();
    print_line("echo: type a line, or quit");
    uint64_t lines = 0;
    for (;;) {
        if (!get_line(line)) continue;
        if (is_quit(line)) break;
        print_line("echo %u: %s", ++lines, line);
    }
    power_off("echo");
}
