/* Of bench_irqc.c: a PLIC, by the UART's source and hart 0's context of S mode, which is 1 */
#define BIT (1u << UART_INTID % 32)
#define PLIC(offset) (PLIC_BASE + (offset))

static void registers(void) {
    READ("plic-priority", PLIC(4 * UART_INTID));
    WRITE("plic-priority", PLIC(4 * UART_INTID), 1);
    READ("plic-pending", PLIC(0x1000));
    READ("plic-enable", PLIC(0x2080));
    WRITE("plic-enable", PLIC(0x2080), BIT);
    READ("plic-threshold", PLIC(0x201000));
    WRITE("plic-threshold", PLIC(0x201000), 0);
    READ("plic-claim", PLIC(0x201004));
    WRITE("plic-complete", PLIC(0x201004), UART_INTID);
}
