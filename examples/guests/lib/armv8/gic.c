/* The interrupt controller: GICv3 (Arm IHI 0069) by system registers, or GICv2 (Arm IHI 0048) by its CPU frame. */
#include "guest.h"

#define GICD_CTLR 0x000
#define GICD_IGROUPR 0x080 /* the same offsets in the SGI frame of a redistributor */
#define GICD_ISENABLER 0x100
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR 0x800
#define GICD_ICFGR 0xC00
#define GICD_SGIR 0xF00
#define GICD_IROUTER 0x6000
#define GICR_STRIDE 0x20000
#define GICR_WAKER 0x014
#define GICR_SGI_FRAME 0x10000
#define GICC_CTLR 0x00
#define GICC_PMR 0x04
#define GICC_IAR 0x0C
#define GICC_EOIR 0x10

#define CTLR_V3 0x12 /* EnableGrp1, ARE */
#define WAKER_PROCESSOR_SLEEP 2u
#define WAKER_CHILDREN_ASLEEP 4u
#define PRIORITY 0xA0
#define LOWEST_PRIORITY 0xFF
#define SPURIOUS 1020

unsigned gic_version(void) { return (READ_REGISTER("id_aa64pfr0_el1") >> 24 & 15) ? 3 : 2; }

static uintptr_t redistributor(void) { return GICR_BASE + GICR_STRIDE * (uintptr_t)this_cpu(); }

/* The frame that holds an interrupt's enable, priority and configuration. */
static uintptr_t home(unsigned intid) {
    return intid < 32 && gic_version() == 3 ? redistributor() + GICR_SGI_FRAME : GICD_BASE;
}

void irqc_init(void) { write32(GICD_BASE + GICD_CTLR, gic_version() == 3 ? CTLR_V3 : 1); }

void irqc_init_cpu(void) {
    if (gic_version() == 2) {
        write32(GICC_BASE + GICC_PMR, LOWEST_PRIORITY);
        write32(GICC_BASE + GICC_CTLR, 1);
        return;
    }
    uintptr_t waker = redistributor() + GICR_WAKER;
    write32(waker, read32(waker) & ~WAKER_PROCESSOR_SLEEP);
    while (read32(waker) & WAKER_CHILDREN_ASLEEP) {}
    write32(redistributor() + GICR_SGI_FRAME + GICD_IGROUPR, 0xFFFFFFFF);
    WRITE_REGISTER("s3_0_c12_c12_5", READ_REGISTER("s3_0_c12_c12_5") | 1); /* ICC_SRE_EL1 */
    isb();
    WRITE_REGISTER("s3_0_c4_c6_0", LOWEST_PRIORITY); /* ICC_PMR_EL1 */
    WRITE_REGISTER("s3_0_c12_c12_4", 0);             /* ICC_CTLR_EL1: EOI drops priority and deactivates */
    WRITE_REGISTER("s3_0_c12_c12_7", 1);             /* ICC_IGRPEN1_EL1 */
    isb();
}

void irqc_enable_level(unsigned intid) {
    uintptr_t frame = home(intid);
    write8(frame + GICD_IPRIORITYR + intid, PRIORITY);
    if (intid >= 32 && gic_version() == 3) {
        uintptr_t group = frame + GICD_IGROUPR + intid / 32 * 4;
        write32(group, read32(group) | 1u << intid % 32);
        write64(frame + GICD_IROUTER + 8 * (uintptr_t)intid, affinity_of(this_cpu()));
    } else if (intid >= 32) {
        write8(frame + GICD_ITARGETSR + intid, (uint8_t)(1u << this_cpu()));
    }
    write32(frame + GICD_ISENABLER + intid / 32 * 4, 1u << intid % 32);
}

void irqc_enable(unsigned intid) {
    if (intid >= 32) {
        uintptr_t configuration = GICD_BASE + GICD_ICFGR + intid / 16 * 4;
        write32(configuration, read32(configuration) | 2u << intid % 16 * 2);
    }
    irqc_enable_level(intid);
}

void irqc_send(unsigned intid, unsigned cpu) {
    dsb();
    if (gic_version() == 2) {
        write32(GICD_BASE + GICD_SGIR, 1u << (16 + cpu) | intid);
        return;
    }
    WRITE_REGISTER("s3_0_c12_c11_5", (uint64_t)intid << 24 | sgi_target(cpu)); /* ICC_SGI1R_EL1 */
    isb();
}

/* Called by the vector of interrupts. */
void guest_interrupt(void) {
    if (gic_version() == 2) {
        uint32_t acknowledged = read32(GICC_BASE + GICC_IAR); /* with the source of an SGI, which EOIR wants back */
        if ((acknowledged & 0x3FF) >= SPURIOUS) return;
        on_interrupt(acknowledged & 0x3FF);
        write32(GICC_BASE + GICC_EOIR, acknowledged);
        return;
    }
    uint64_t acknowledged = READ_REGISTER("s3_0_c12_c12_0"); /* ICC_IAR1_EL1 */
    if (acknowledged >= SPURIOUS) return;
    on_interrupt((unsigned)acknowledged);
    WRITE_REGISTER("s3_0_c12_c12_1", acknowledged); /* ICC_EOIR1_EL1 */
}
