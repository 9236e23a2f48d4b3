/*
 * Starts anew LIVES times by PSCI SYSTEM_RESET, at last from another vCPU. Each life must find its memory, interrupt
 * controller and vCPUs as the first did; only what it shares with other VMs stays, and there it counts its lives. The
 * other vCPU, if there is one, sleeps in one life and works in the next while the reset comes.
 */
#include "guest.h"

#define LIVES 6
#define SGI 3
#define GICR_ISENABLER (GICR_BASE + 0x10100)
#define GICD_ISENABLER (GICD_BASE + 0x100)

static uint64_t *const life = (uint64_t *)IPC_BASE;
static volatile uint64_t *const far_memory = (uint64_t *)0x40f00000; /* beyond the image */
static uint64_t initialized = 0x1234, zero; /* .data and .bss */
static uint32_t ready;

static void reset(void) {
    hvc(PSCI_SYSTEM_RESET, 0, 0, 0);
    print_line("reset: SYSTEM_RESET returned");
    power_off("reset");
}

void guest_secondary(unsigned cpu) {
    (void)cpu;
    uint64_t mine = LOAD(life);
    STORE(&ready, 1);
    if (mine == LIVES - 1) reset();
    for (;;)
        if (mine % 2) wfi();
}

void guest_main(void) {
    uint64_t mine = LOAD(life) + 1;
    STORE(life, mine);
    uint32_t enabled = read32(gic_version() == 3 ? GICR_ISENABLER : GICD_ISENABLER);
    print_line("reset: life %u, memory %x %x %x, PPIs %x, timer %x", mine, *far_memory, initialized, zero,
               (uint64_t)(enabled & 0xffff0000), READ_REGISTER("cntv_ctl_el0") & 1);
    *far_memory = zero = initialized = mine;
    gic_init();
    gic_init_cpu();
    gic_enable_level(SGI);
    gic_enable_level(TIMER_INTID);
    mask_interrupts();
    gic_send_sgi(SGI, 0); /* stays pending */
    timer_set(0);
    unsigned cpus = start_secondaries(2);
    if (cpus == 2)
        while (!LOAD(&ready)) {}
    if (mine == LIVES) power_off("reset");
    if (mine == LIVES - 1 && cpus == 2)
        for (;;) wfi();
    reset();
}
