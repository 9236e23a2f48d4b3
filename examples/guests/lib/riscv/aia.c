/* APLIC and IMSICs (RISC-V Advanced Interrupt Architecture). Messages have the number of what they are for. */
#include "guest.h"
#include "irqc.h"

#define DOMAINCFG (APLIC_BASE + 0x0000)
#define SOURCECFG(source) (APLIC_BASE + 4 * (source))
#define SETIPNUM (APLIC_BASE + 0x1CDC)
#define INPUT(source) (APLIC_BASE + 0x1D00 + (source) / 32 * 4)
#define SETIENUM (APLIC_BASE + 0x1EDC)
#define TARGET(source) (APLIC_BASE + 0x3000 + 4 * (source))
#define IDC (APLIC_BASE + 0x4000 + 0x20 * (uintptr_t)this_cpu())
#define IDELIVERY (IDC + 0x00)
#define ITHRESHOLD (IDC + 0x08)
#define CLAIMI (IDC + 0x1C)

#define INTERRUPTS_ENABLED 0x100
#define DELIVERY_MODE 4 /* messages */
#define EDGE 4
#define LEVEL 6
#define HART_SHIFT 18
#define PRIORITY 1

#define SISELECT "0x150"
#define SIREG "0x151"
#define STOPEI "0x15c"
#define EIDELIVERY 0x70
#define EITHRESHOLD 0x72
#define EIE(identity) (0xC0 + (identity) / 64 * 2)

#define SOURCES 1024

static uint8_t is_level[SOURCES];

void aplic_init(bool messages) { write32(DOMAINCFG, INTERRUPTS_ENABLED | (messages ? DELIVERY_MODE : 0)); }

static void write_file(unsigned select, uint64_t value) {
    WRITE_REGISTER(SISELECT, select);
    WRITE_REGISTER(SIREG, value);
}

void aplic_init_cpu(bool messages) {
    if (messages) {
        write_file(EIDELIVERY, 1);
        write_file(EITHRESHOLD, 0);
        return;
    }
    write32(IDELIVERY, 1);
    write32(ITHRESHOLD, 0);
}

void aplic_enable(unsigned source, bool level, bool messages) {
    is_level[source] = level;
    write32(SOURCECFG(source), level ? LEVEL : EDGE);
    write32(TARGET(source), this_cpu() << HART_SHIFT | (messages ? source : PRIORITY));
    if (messages) imsic_enable(source);
    write32(SETIENUM, source);
}

void aplic_interrupt(void) {
    uint32_t source = read32(CLAIMI) >> 16;
    if (source) on_interrupt(source);
}

/* In the file of this hart. */
void imsic_enable(unsigned identity) {
    WRITE_REGISTER(SISELECT, EIE(identity));
    SET_BITS(SIREG, 1ull << identity % 64);
}

void imsic_send(unsigned identity, unsigned cpu) { write32(IMSIC_BASE + 0x1000 * (uintptr_t)cpu, identity); }

/*
 * A level sends a message when it rises. When it has been served and is still there, the APLIC is asked for another one (AIA,
 * 4.9.2); which one that is not there any more would get from some.
 */
void imsic_interrupt(void) {
    uint64_t top;
    __asm__ volatile("csrrw %0, " STOPEI ", zero" : "=r"(top) : : "memory");
    unsigned identity = (unsigned)(top >> 16);
    if (!identity) return;
    on_interrupt(identity);
    if (is_level[identity] && read32(INPUT(identity)) >> identity % 32 & 1) write32(SETIPNUM, identity);
}
