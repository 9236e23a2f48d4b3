/* A console that answers: gives back each line that it is sent; `quit` ends. Input comes by the UART's interrupt. */
#include "guest.h"

#define UARTDR 0x00
#define UARTFR 0x18
#define UARTLCR_H 0x2C
#define UARTCR 0x30
#define UARTIMSC 0x38
#define UARTICR 0x44
#define FR_RXFE (1 << 4)
#define LCR_8_BITS_FIFO 0x70
#define CR_ENABLE 0x301
#define INTERRUPT_RECEIVE 0x50 /* receive, and receive timeout */
#define LONGEST 200
#define CAPACITY 4096

static char received[CAPACITY];
static unsigned head, tail;

static void take(void) {
    while (!(read32(UART_BASE + UARTFR) & FR_RXFE)) {
        char c = (char)read32(UART_BASE + UARTDR);
        if (head - tail == CAPACITY) continue; /* too much at once: lost, as on a real line */
        received[head % CAPACITY] = c;
        STORE(&head, head + 1);
    }
}

void on_interrupt(unsigned intid) {
    if (intid != UART_INTID) return;
    write32(UART_BASE + UARTICR, INTERRUPT_RECEIVE); /* before taking: what comes after is told again */
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
    gic_init();
    gic_init_cpu();
    gic_enable_level(UART_INTID);
    write32(UART_BASE + UARTLCR_H, LCR_8_BITS_FIFO);
    write32(UART_BASE + UARTCR, CR_ENABLE);
    write32(UART_BASE + UARTIMSC, INTERRUPT_RECEIVE);
    print_line("echo: type a line, or quit");
    uint64_t lines = 0;
    for (;;) {
        if (!get_line(line)) continue;
        if (is_quit(line)) break;
        print_line("echo %u: %s", ++lines, line);
    }
    power_off("echo");
}
