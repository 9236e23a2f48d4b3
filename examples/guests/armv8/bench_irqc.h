/* Of bench_irqc.c: a GICv3, by the interrupt of the UART and by SGI 1 */
#define BIT (1u << UART_INTID % 32)
#define SGI 1
#define GICD(offset) (GICD_BASE + (offset))
#define GICR(offset) (GICR_BASE + (offset)) /* of vCPU 0 */
#define SGIS(offset) GICR(0x10000 + (offset))

static inline uint64_t wide(uintptr_t address) {
    uint64_t value;
    __asm__ volatile("ldr %x0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static void registers(void) {
    READ("gicd-ctlr", GICD(0x000));
    READ("gicd-typer", GICD(0x004));
    READ("gicd-isenabler", GICD(0x104));
    WRITE("gicd-isenabler", GICD(0x104), BIT);
    WRITE("gicd-icenabler", GICD(0x184), BIT);
    READ("gicd-ispendr", GICD(0x204));
    WRITE("gicd-icpendr", GICD(0x284), BIT);
    READ("gicd-isactiver", GICD(0x304));
    READ("gicd-ipriorityr", GICD(0x400 + UART_INTID / 4 * 4));
    RATE("gicd-ipriorityr-write", "writes", write8(GICD(0x400 + UART_INTID), 0xA0));
    READ("gicd-icfgr", GICD(0xC00 + UART_INTID / 16 * 4));
    WRITE("gicd-icfgr", GICD(0xC00 + UART_INTID / 16 * 4), 0);
    RATE("gicd-irouter-read", "reads", wide(GICD(0x6000 + 8 * UART_INTID)));
    RATE("gicd-irouter-write", "writes", write64(GICD(0x6000 + 8 * UART_INTID), affinity_of(0)));
    READ("gicr-ctlr", GICR(0x000));
    RATE("gicr-typer-read", "reads", wide(GICR(0x008)));
    READ("gicr-isenabler", SGIS(0x100));
    WRITE("gicr-isenabler", SGIS(0x100), 1u << SGI);
    WRITE("gicr-icenabler", SGIS(0x180), 1u << SGI);
    READ("gicr-ispendr", SGIS(0x200));
    READ("gicr-ipriorityr", SGIS(0x400));
    RATE("gicr-ipriorityr-write", "writes", write8(SGIS(0x400 + SGI), 0xA0));
    READ("gicr-icfgr", SGIS(0xC04));
}
