/* Of unmap.c: SFENCE.VMA here, and SBI's remote one, which returns when no hart has what is to be forgotten. */
#include "tables.h"

#define LOAD_PAGE_FAULT 13
#define STORE_PAGE_FAULT 15
#define KINDS "pages %u, range %u, all %u, pages of ASID %u, range of ASID %u, all of ASID %u"
#define BETWEEN 6u

bool on_exception(struct frame *frame, uint64_t cause, uint64_t address) {
    if (is_own_call(frame, cause)) return true;
    if ((cause != LOAD_PAGE_FAULT && cause != STORE_PAGE_FAULT) || address - MAPPED > NOT_MAPPED - MAPPED) return false;
    state[this_cpu()].faults++;
    skip_instruction(frame);
    return true;
}

static void between(unsigned what) {
    switch (what) {
    case 0: break;
    case 1: __asm__ volatile("fence w, w\n\tfence r, r\n\tfence.i" : : : "memory"); break;
    case 2: own_call(); break;
    case 3: cheapest_call(); break;
    case 4: (void)*(volatile uint64_t *)NOT_MAPPED; break;
    case 5: /* WFI, which the timer ends */
        timer_set(0);
        wfi();
        timer_off();
        break;
    }
}

static void remote_fence(bool of_asid, uint64_t start, uint64_t size) {
    register uint64_t a0 __asm__("a0") = ALL_CPUS;
    register uint64_t a1 __asm__("a1") = 0;
    register uint64_t a2 __asm__("a2") = start;
    register uint64_t a3 __asm__("a3") = size;
    register uint64_t a4 __asm__("a4") = 0; /* the ASID */
    register uint64_t a6 __asm__("a6") = of_asid ? 2 : 1;
    register uint64_t a7 __asm__("a7") = SBI_RFENCE;
    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7) : "memory");
}

/* `what` comes between the fence of this hart and that of the others; by `kind` and `barrier` these come first or last. */
static void invalidate(unsigned kind, unsigned barrier, unsigned what) {
    bool of_asid = kind >= 3, first = barrier == 1;
    dsb();
    if (!first) __asm__ volatile("sfence.vma %0, zero\n\tsfence.vma %1, zero" : : "r"(MAPPED), "r"(READ) : "memory");
    if (!first) between(what);
    switch (kind % 3) {
    case 0:
        remote_fence(of_asid, MAPPED, 4096);
        remote_fence(of_asid, READ, 4096);
        break;
    case 1: remote_fence(of_asid, MAPPED, READ + 4096 - MAPPED); break;
    case 2: remote_fence(of_asid, 0, barrier == 2 ? 0 : ~0ull); break;
    }
    if (first) between(what);
    if (first) __asm__ volatile("sfence.vma" : : : "memory");
}

static void store(unsigned cpu, uint64_t value) {
    uint64_t at = MAPPED + cpu * LINE * 8, scratch;
    switch (value % 5) {
    case 0: __asm__ volatile("sd %0, 0(%1)" : : "r"(value), "r"(at) : "memory"); break;
    case 1: __asm__ volatile("sw %0, 4(%1)" : : "r"(value), "r"(at) : "memory"); break;
    case 2: __asm__ volatile("amoswap.d zero, %0, (%1)" : : "r"(value), "r"(at) : "memory"); break;
    case 3: __asm__ volatile("lr.d %0, (%2)\n\tsc.d %0, %1, (%2)" : "=&r"(scratch) : "r"(value), "r"(at) : "memory"); break;
    case 4: __asm__ volatile("sd %0, 0(%1)" : : "r"(value), "r"(MAPPED + 4092) : "memory"); break;
    }
    state[cpu].stored++;
}

#define LOOK_BY(load)                                                     \
    __asm__ volatile("lw %0, 0(%2)\n\tfence r, rw\n\t" load " %1, 0(%3)"  \
                     : "=&r"(before), "+&r"(found)                        \
                     : "r"(&gone.round), "r"(READ)                        \
                     : "memory")
#define LOOK(other_way)       \
    do {                      \
        if (other_way)        \
            LOOK_BY("lhu");   \
        else                  \
            LOOK_BY("ld");    \
    } while (0)

static uint64_t open_page(const void *page) { return page_descriptor(page); }
static uint64_t table_at(const void *table) { return table_descriptor(table); }
static void publish_entries(void) { publish_tables(); }
