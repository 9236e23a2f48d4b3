/* Of routes.c: an APLIC with IMSICs or alone, whose sources software can set pending, or a PLIC, whose it cannot. */
#include "irqc.h"
#include "uart.h"

#define FIRST_SOFTWARE 1u /* there is no message 0 */
#define OWN 9u
#define A_SOURCE "a source"
#define A_SOFTWARE "a software interrupt"
_Static_assert(FIRST_SOFTWARE + MAX_CPUS <= OWN && OWN < SOFTWARE_INTIDS, "each has a number");

#define PLIC_PRIORITY(source) (PLIC_BASE + 4 * (source))
#define PLIC_ENABLE(cpu) (PLIC_BASE + 0x2080 + 0x100 * (uintptr_t)(cpu)) /* of its S mode; here sources 0 to 31 */
#define PLIC_THRESHOLD(cpu) (PLIC_BASE + 0x201000 + 0x2000 * (uintptr_t)(cpu))
#define PLIC_HIGHEST 7
#define SETIP(source) (APLIC_BASE + 0x1C00 + (source) / 32 * 4)
#define SETIPNUM (APLIC_BASE + 0x1CDC)
#define SETIENUM (APLIC_BASE + 0x1EDC)
#define CLRIE(source) (APLIC_BASE + 0x1F00 + (source) / 32 * 4)
#define CLRIENUM (APLIC_BASE + 0x1FDC)
#define TARGET(source) (APLIC_BASE + 0x3000 + 4 * (source))
#define TARGET_HART 18
#define IDELIVERY(cpu) (APLIC_BASE + 0x4000 + 0x20 * (uintptr_t)(cpu))
#define IFORCE(cpu) (IDELIVERY(cpu) + 4)
#define BIT(source) (1u << (source) % 32)
#define IER_TRANSMIT 2

#define SISELECT "0x150"
#define SIREG "0x151"
#define EIDELIVERY 0x70
#define EITHRESHOLD 0x72
#define EIP0 0x80
#define EIE0 0xC0

static bool has_sources(void) { return controller != PLIC; }
static void add(uint64_t *to) { INCREMENT(to); }

/* A hart that is late may come for one that another has served: which of them an interrupt was for is settled by a lock. */
static uint32_t line;

static bool take_level(void) {
    lock(&line);
    bool is_up = read8(UART_BASE + UART_IER) & IER_TRANSMIT;
    write8(UART_BASE + UART_IER, 0);
    STORE(&line, 0);
    return is_up;
}
static void prepare_level(void) { write8(UART_BASE + UART_IER, 0); }
static void raise_level(void) {
    mask_interrupts();
    lock(&line);
    write8(UART_BASE + UART_IER, IER_TRANSMIT);
    STORE(&line, 0);
    unmask_interrupts();
}

/* A PLIC: the harts that are told of the UART. Bao looks what there is for a hart when its threshold is written. */
static unsigned told = 1;

static void tell(unsigned harts) {
    for (unsigned cpu = 0; cpu < cpus; cpu++) write32(PLIC_ENABLE(cpu), harts >> cpu & 1 ? BIT(UART_INTID) : 0);
    for (unsigned cpu = 0; cpu < cpus; cpu++) write32(PLIC_THRESHOLD(cpu), 0);
}

static void route(unsigned cpu, unsigned source) {
    if (controller == PLIC)
        tell(told = 1 + draw(cpu, (1u << cpus) - 1));
    else
        write32(TARGET(source), draw(cpu, cpus) << TARGET_HART | (controller == AIA ? source : 1 + draw(cpu, 255)));
}

static void switch_off(unsigned source) {
    if (controller == PLIC)
        tell(0);
    else if (source % 2)
        write32(CLRIENUM, source);
    else
        write32(CLRIE(source), BIT(source));
}

static void switch_on(unsigned source) {
    if (controller == PLIC)
        tell(told);
    else
        write32(SETIENUM, source);
}

static void write_file(unsigned select, uint64_t value) {
    WRITE_REGISTER(SISELECT, select);
    WRITE_REGISTER(SIREG, value);
}

/* What holds an interrupt up for a while: a priority, a threshold, delivery. */
static void prefer(unsigned cpu, unsigned source) {
    unsigned to = draw(cpu, cpus), level = draw(cpu, PLIC_HIGHEST + 1);
    switch (controller) {
    case PLIC:
        write32(PLIC_THRESHOLD(to), level);
        write32(PLIC_PRIORITY(source), 1 + draw(cpu, PLIC_HIGHEST));
        write32(PLIC_THRESHOLD(to), 0);
        break;
    case APLIC:
        write32(IDELIVERY(to), 0);
        write32(IDELIVERY(to), 1);
        break;
    case AIA:
        write_file(level & 1 ? EIDELIVERY : EITHRESHOLD, level & 1 ? 0 : 1 + level);
        write_file(level & 1 ? EIDELIVERY : EITHRESHOLD, level & 1);
        break;
    }
}

static void pend(unsigned source) {
    if (source % 2)
        write32(SETIPNUM, source);
    else
        write32(SETIP(source), BIT(source));
}

/* By SBI the lowest bit is hart 0 for all others, and else the first of the list. */
static void send_to(unsigned cpu, unsigned list, bool others) {
    unsigned number = FIRST_SOFTWARE + cpu, base = 0;
    while (!others && !(list >> base & 1)) base++;
    dsb();
    for (unsigned to = 0; to < cpus; to++) {
        if (!(list >> to & 1)) continue;
        if (controller == AIA)
            imsic_send(number, to);
        else
            irqc_note(number, to);
    }
    if (controller != AIA) sbi(SBI_IPI, 0, list >> base, base, 0, 0);
}

static void expect(unsigned cpu, const char *what, struct count *count);

/* What iforce asks for is over when the hart has asked what there is, and was told that there is nothing. */
static void force(unsigned cpu) {
    uint64_t end = ticks() + PATIENCE * ticks_per_second();
    write32(IFORCE(cpu), 1);
    while (read32(IFORCE(cpu)) && ticks() < end) yield();
    if (!read32(IFORCE(cpu))) return;
    print_line("routes: what vCPU %u was forced to take has not come: FAILED", (uint64_t)cpu);
    power_off("routes");
}

/* In its file: while nothing is delivered, or while it is not enabled. */
static void set_own_pending(unsigned cpu) {
    unsigned held = draw(cpu, 2) ? EIDELIVERY : EIE0;
    WRITE_REGISTER(SISELECT, held);
    CLEAR_BITS(SIREG, held == EIDELIVERY ? 1 : BIT(OWN));
    WRITE_REGISTER(SISELECT, EIP0);
    if (draw(cpu, 2))
        SET_BITS(SIREG, BIT(OWN));
    else
        imsic_send(OWN, cpu);
    dsb();
    if (!(READ_REGISTER(SIREG) & BIT(OWN))) own[cpu].sent++; /* which never comes */
    WRITE_REGISTER(SISELECT, held);
    SET_BITS(SIREG, held == EIDELIVERY ? 1 : BIT(OWN));
}

static void send_own(unsigned cpu) {
    if (controller == APLIC && draw(cpu, 2)) {
        force((cpu + 1) % cpus);
        return;
    }
    own[cpu].sent++;
    if (controller == AIA) {
        set_own_pending(cpu);
    } else {
        irqc_note(OWN, cpu);
        SET_BITS("sip", 1 << CAUSE_SOFTWARE);
    }
    expect(cpu, "its own", &own[cpu]);
}

static void prepare(unsigned cpu) {
    irqc_enable(OWN);
    if (controller == AIA) {
        imsic_enable(UART_INTID);
        for (unsigned each = 0; each < SOURCES; each++) imsic_enable(SOURCE + each);
    }
    if (!has_sources()) return;
    for (unsigned mine = cpu; mine < SOURCES; mine += cpus) irqc_enable(SOURCE + mine);
}
