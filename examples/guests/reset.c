/*
 * Starts anew LIVES times by the call that resets a VM, at last from another vCPU. Each life must find its memory, interrupt
 * controller and vCPUs as the first did; only what it shares with other VMs stays, and there it counts its lives. The
 * other vCPU, if there is one, sleeps in one life and works in the next while the reset comes.
 */
#include "guest.h"
#include "reset.h"

#define LIVES 6
#define SGI 3
static uint64_t *const life = (uint64_t *)IPC_BASE;
static volatile uint64_t *const far_memory = (uint64_t *)(RAM_BASE + 0xf00000ull); /* beyond the image */
static uint64_t initialized = 0x1234, zero; /* .data and .bss */
static uint32_t ready;

static void reset(void) {
    system_reset();
    print_line("reset: " SYSTEM_RESET " returned");
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
    uint64_t first = found_first();
    print_line("reset: life %u, memory %x %x %x, " FOUND, mine, *far_memory, initialized, zero, first, found_second());
    *far_memory = zero = initialized = mine;
    irqc_init();
    irqc_init_cpu();
    irqc_enable_level(SGI);
    irqc_enable_level(TIMER_INTID);
    mask_interrupts();
    irqc_send(SGI, 0); /* stays pending */
    timer_set(0);
    unsigned cpus = start_secondaries(2);
    if (cpus == 2)
        while (!LOAD(&ready)) {}
    if (mine == LIVES) power_off("reset");
    if (mine == LIVES - 1 && cpus == 2)
        for (;;) wfi();
    reset();
}
