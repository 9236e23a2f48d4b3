/*
 * How fast the registers of the interrupt controller are that a guest reads and writes by loads and stores, one after another,
 * and Bao's hypercall: lines as of bench.c. What is written changes nothing. For a VM without shared memory.
 */
#include "guest.h"
#include "rate.h"

#define RATE_TICKS (ticks_per_second() / 10)

#define READ(name, address) RATE(name "-read", "reads", read32(address))
#define WRITE(name, address, value) RATE(name "-write", "writes", write32(address, value))

#include "bench_irqc.h"

bool on_exception(struct frame *frame, uint64_t cause, uint64_t address) {
    (void)frame, (void)cause, (void)address;
    return false;
}

void on_interrupt(unsigned intid) { (void)intid; }

void guest_secondary(unsigned cpu) { (void)cpu; }

void guest_main(void) {
    print_line("bench-irqc: start");
    irqc_init();
    irqc_init_cpu();
    irqc_enable_level(UART_INTID);
    registers();
    RATE("ipc-call", "calls", ipc_notify(0, 0)); /* refused: whoever has shared memory would ring others */
    power_off("bench-irqc");
}
