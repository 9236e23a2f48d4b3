/* Of unmap.c (Arm ARM D8.13.5) */

#define PAGE_DESCRIPTOR (0x403ull | 3 << 8 | 1 << 6 | 1 << 2 | 1ull << 11) /* AF, inner shareable, EL0 too, Normal, not global */
#define TABLE_DESCRIPTOR 3ull

#define UNDEFINED 0u
#define SVC 0x15u
#define DATA_ABORT 0x25u
#define KINDS "VA %u, VAL %u, VAA %u, VAAL %u, ASID %u, all %u"

extern uint64_t translation_table[64];

static uint64_t pa(const void *pointer) { return (uintptr_t)pointer; }

bool on_exception(struct frame *frame, uint64_t esr, uint64_t far) {
    if (esr >> 26 == SVC) return true;
    bool aborted = esr >> 26 == DATA_ABORT && far - MAPPED <= NOT_MAPPED - MAPPED;
    if (!aborted && esr >> 26 != UNDEFINED) return false;
    state[this_cpu()].faults += aborted;
    frame->elr += 4;
    return true;
}

#define BETWEEN 10u

static void between(unsigned what) {
    uint64_t scratch;
    switch (what) {
    case 0: break;
    case 1: __asm__ volatile("dsb nsh" : : : "memory"); break;
    case 2: __asm__ volatile("dsb ishst\n\tdsb ishld\n\tdmb sy\n\tisb" : : : "memory"); break;
    case 3: __asm__ volatile("svc #0" : : : "memory"); break;
    case 4: __asm__ volatile("udf #0" : : : "memory"); break;
    case 5: hvc(PSCI_VERSION, 0, 0, 0); break;
    case 6: __asm__ volatile("sev\n\twfe" : : : "memory"); break;
    case 7: read32(GICD_BASE); break;
    case 8: (void)*(volatile uint64_t *)NOT_MAPPED; break;
    case 9: /* WFI, which the timer ends, and an exception return */
        timer_set(0);
        __asm__ volatile("wfi\n\tmov %0, #0x3c5\n\tmsr spsr_el1, %0\n\tadr %0, 1f\n\tmsr elr_el1, %0\n\teret\n1:"
                         : "=&r"(scratch) : : "memory");
        timer_off();
        break;
    }
}

#define COMPLETE(op, barrier)                                                                                                  \
    __asm__ volatile("dsb ishst\n\ttlbi " op "\n\tmov %0, %1\n\ttlbi " op : "+&r"(page) : "r"(READ >> 12) : "memory"); \
    between(what);                                                                                                             \
    __asm__ volatile(barrier "\n\tisb" : : : "memory")

static void invalidate(unsigned kind, unsigned barrier, unsigned what) {
    uint64_t page = MAPPED >> 12;
    switch (kind * 3 + barrier) {
#define OPERATION(number, op)                                   \
    case number * 3: COMPLETE(op, "dsb ish"); break;            \
    case number * 3 + 1: COMPLETE(op, "dsb sy"); break;         \
    case number * 3 + 2: COMPLETE(op, "dsb osh"); break;
        OPERATION(0, "vae1is, %0")
        OPERATION(1, "vale1is, %0")
        OPERATION(2, "vaae1is, %0")
        OPERATION(3, "vaale1is, %0")
        OPERATION(4, "aside1is, xzr")
        OPERATION(5, "vmalle1is")
    }
}

static void store(unsigned cpu, uint64_t value) {
    uint64_t at = MAPPED + cpu * LINE * 8;
    switch (value % 5) {
    case 0: __asm__ volatile("str %0, [%1]" : : "r"(value), "r"(at) : "memory"); break;
    case 1: __asm__ volatile("sttr %0, [%1]" : : "r"(value), "r"(at) : "memory"); break;
    case 2: __asm__ volatile("stp %0, %0, [%1]" : : "r"(value), "r"(at) : "memory"); break;
    case 3: __asm__ volatile("dc zva, %0" : : "r"(at) : "memory"); break;
    case 4: __asm__ volatile("str %0, [%1]" : : "r"(value), "r"(MAPPED + 4092) : "memory"); break;
    }
    state[cpu].stored++;
}

#define LOOK_BY(load) \
    __asm__ volatile("ldar %w0, [%2]\n\t" load " %1, [%3]" : "=&r"(before), "+&r"(found) : "r"(&gone.round), "r"(READ) : "memory")
#define LOOK(other_way)    \
    do {                   \
        if (other_way)     \
            LOOK_BY("ldtr"); \
        else               \
            LOOK_BY("ldr"); \
    } while (0)

static uint64_t open_page(const void *page) { return pa(page) | PAGE_DESCRIPTOR; }
static uint64_t table_at(const void *table) { return pa(table) | TABLE_DESCRIPTOR; }
static void publish_entries(void) { __asm__ volatile("dsb ishst\n\tisb" : : : "memory"); }
static void publish_tables(void) {
    dsb();
    isb();
}
