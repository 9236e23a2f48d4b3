/*
 * Runs what a test has made up: `program` has a part for each vCPU, which the test writes over in the image. All it has
 * to keep to is which registers it may use (`run`), and that it comes to its end.
 */
#include "guest.h"

#include "barrier.h"

#define PROGRAMS 4
#define WORDS 4096
#define SGI 1
#define SPI 50
#define PERIOD 20000 /* ns: a guest that waits is woken */

#define MARK 0x6d646e72 /* where the test finds it; as an instruction it is undefined in this guest */
uint32_t program[PROGRAMS][WORDS] __attribute__((aligned(4096))) = {{MARK, WORDS, PROGRAMS}};

static uint8_t shared[4096] __attribute__((aligned(4096)));
static struct own {
    uint64_t interrupts, exceptions, mixed, deadline, rest[508];
} own[PROGRAMS] __attribute__((aligned(4096)));

void on_interrupt(unsigned intid) {
    struct own *mine = &own[this_cpu()];
    mine->interrupts++;
    mine->mixed = mine->mixed * 31 + intid;
    if (intid != TIMER_INTID) return;
    uint64_t period = PERIOD * ticks_per_second() / 1000000000;
    do mine->deadline += period;
    while (mine->deadline <= ticks());
    timer_set(mine->deadline);
}

/* A system call returns behind itself; what is not to be had is passed over. */
bool on_exception(struct frame *frame, uint64_t cause, uint64_t address) {
    struct own *mine = &own[this_cpu()];
    mine->exceptions++;
    mine->mixed = mine->mixed * 31 + (cause ^ address);
    if (!is_own_call(frame, cause)) skip_instruction(frame);
    return true;
}

#include "random.h"

static void play(unsigned cpu) {
    irqc_init_cpu();
    irqc_enable_level(TIMER_INTID);
    irqc_enable_level(SGI);
    own[cpu].deadline = ticks();
    timer_set(own[cpu].deadline);
    unmask_interrupts();
    uint64_t check = run(cpu);
    mask_interrupts();
    timer_off();
    print_line("random: vCPU %u, %x, %u interrupts, %u exceptions, %x", (uint64_t)cpu, check, own[cpu].interrupts,
               own[cpu].exceptions, own[cpu].mixed);
}

static unsigned cpus;

void guest_secondary(unsigned cpu) {
    play(cpu);
    barrier(LOAD(&cpus));
    cpu_off();
}

void guest_main(void) {
    irqc_init();
    irqc_enable(SPI);
    irqc_enable(IPC_INTID);
    STORE(&cpus, start_secondaries(PROGRAMS));
    play(0);
    barrier(cpus);
    power_off("random");
}
