/* The interrupt controller: a PLIC, an APLIC with IMSICs, or an APLIC alone. */
#include "irqc.h"

#include "guest.h"

enum controller controller = AIA;

/* Software interrupts where a hart has one alone: a bit for each number that was sent. A cache line for each hart. */
static struct {
    _Alignas(64) uint32_t sent;
} inbox[MAX_CPUS];

const char *irqc_name(void) { return controller == PLIC ? "PLIC" : controller == AIA ? "APLIC and IMSICs" : "APLIC"; }

void irqc_init(void) {
    if (controller != PLIC) aplic_init(controller == AIA);
}

void irqc_init_cpu(void) {
    if (controller == PLIC)
        plic_init_cpu();
    else
        aplic_init_cpu(controller == AIA);
    SET_BITS("sie", 1 << CAUSE_EXTERNAL);
}

static void enable_software(unsigned intid) {
    if (controller == AIA) imsic_enable(intid);
    SET_BITS("sie", 1 << CAUSE_SOFTWARE);
}

static void enable(unsigned intid, bool level) {
    if (intid == TIMER_INTID)
        SET_BITS("sie", 1 << CAUSE_TIMER);
    else if (intid < SOFTWARE_INTIDS)
        enable_software(intid);
    else if (controller == PLIC)
        plic_enable(intid);
    else
        aplic_enable(intid, level, controller == AIA);
}

void irqc_enable(unsigned intid) { enable(intid, false); }
void irqc_enable_level(unsigned intid) { enable(intid, true); }

void irqc_note(unsigned intid, unsigned cpu) { __atomic_fetch_or(&inbox[cpu].sent, 1u << intid, __ATOMIC_RELEASE); }

/* A message where there are IMSICs, which no hypervisor sees; else a call. */
void irqc_send(unsigned intid, unsigned cpu) {
    dsb();
    if (controller == AIA) {
        imsic_send(intid, cpu);
        return;
    }
    irqc_note(intid, cpu);
    sbi(SBI_IPI, 0, 1ull << cpu % 64, cpu / 64 * 64, 0, 0);
}

static void software_interrupt(void) {
    CLEAR_BITS("sip", 1 << CAUSE_SOFTWARE);
    uint32_t sent = __atomic_exchange_n(&inbox[this_cpu()].sent, 0, __ATOMIC_ACQ_REL);
    for (unsigned intid = 0; intid < SOFTWARE_INTIDS; intid++)
        if (sent >> intid & 1) on_interrupt(intid);
}

void guest_interrupt(unsigned cause) {
    switch (cause) {
    case CAUSE_SOFTWARE: software_interrupt(); break;
    case CAUSE_TIMER: on_interrupt(TIMER_INTID); break;
    case CAUSE_EXTERNAL:
        if (controller == PLIC)
            plic_interrupt();
        else if (controller == AIA)
            imsic_interrupt();
        else
            aplic_interrupt();
        break;
    }
}
