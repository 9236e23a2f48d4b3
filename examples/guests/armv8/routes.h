/* Of routes.c: a GICv3. */

#define FIRST_SOFTWARE 0u /* SGIs */
#define OWN 20u           /* a PPI */
#define A_SOURCE "an SPI"
#define A_SOFTWARE "an SGI"

#define ENABLE(intid) (0x100 + (intid) / 32 * 4) /* the same in GICD and in the SGI frame of a redistributor */
#define DISABLE(intid) (0x180 + (intid) / 32 * 4)
#define PEND(intid) (0x200 + (intid) / 32 * 4)
#define PRIORITY(intid) (0x400 + (intid))
#define ROUTE(intid) (0x6000 + 8 * (intid))
#define BIT(intid) (1u << (intid) % 32)
#define REDISTRIBUTOR(cpu) (GICR_BASE + 0x20000 * (uintptr_t)(cpu) + 0x10000)
#define UARTIMSC (UART_BASE + 0x38)
#define UARTMIS (UART_BASE + 0x40)
#define TRANSMITTED 0x20u

static inline bool has_sources(void) { return true; }

static void add(uint64_t *to) {
    uint64_t value;
    uint32_t failed;
    __asm__ volatile("1: ldaxr %0, [%2]\n\tadd %0, %0, #1\n\tstlxr %w1, %0, [%2]\n\tcbnz %w1, 1b"
                     : "=&r"(value), "=&r"(failed)
                     : "r"(to)
                     : "memory");
}

static bool take_level(void) {
    if (!(read32(UARTMIS) & TRANSMITTED)) return false;
    write32(UARTIMSC, 0);
    return true;
}
static void prepare_level(void) { write32(UARTIMSC, 0); }
static void raise_level(void) { write32(UARTIMSC, TRANSMITTED); }

static void route(unsigned cpu, unsigned intid) { write64(GICD_BASE + ROUTE(intid), affinity_of(draw(cpu, cpus))); }
static void switch_off(unsigned intid) { write32(GICD_BASE + DISABLE(intid), BIT(intid)); }
static void switch_on(unsigned intid) { write32(GICD_BASE + ENABLE(intid), BIT(intid)); }
static uint8_t priority(unsigned cpu) { return (uint8_t)(0x80 + 16 * draw(cpu, 6)); }

static void pend(unsigned intid) { write32(GICD_BASE + PEND(intid), BIT(intid)); }
static void prefer(unsigned cpu, unsigned intid) { write8(GICD_BASE + PRIORITY(intid), priority(cpu)); }

static void send_to(unsigned cpu, unsigned list, bool others) {
    dsb();
    WRITE_REGISTER("s3_0_c12_c11_5", (uint64_t)cpu << 24 | (others ? 1ull << 40 : list)); /* ICC_SGI1R_EL1 */
    isb();
}

static void expect(unsigned cpu, const char *what, struct count *count);

/* No other sends one to it. */
static void send_own(unsigned cpu) {
    unsigned to = (cpu + 1) % cpus;
    uintptr_t frame = REDISTRIBUTOR(to);
    write32(frame + DISABLE(OWN), BIT(OWN));
    own[to].sent++;
    dsb();
    write32(frame + PEND(OWN), BIT(OWN));
    write8(frame + PRIORITY(OWN), priority(cpu));
    if (!(read32(frame + PEND(OWN)) & BIT(OWN)) || read32(frame + ENABLE(OWN)) & BIT(OWN)) own[to].sent++; /* which never comes */
    write32(frame + ENABLE(OWN), BIT(OWN));
    expect(cpu, "a PPI", &own[to]);
}

static void prepare(unsigned cpu) {
    irqc_enable(OWN);
    for (unsigned mine = cpu; mine < SOURCES; mine += cpus) irqc_enable(SOURCE + mine);
}
