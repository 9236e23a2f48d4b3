/* Of random.c: which registers a part has, and which it may use. */
#include "irqc.h"

static uint64_t run(unsigned cpu) {
    register uint64_t check __asm__("a0") = cpu + 1;
    register void *private __asm__("a2") = &own[cpu];
    register void *of_vm __asm__("a3") = shared;
    register uintptr_t of_both __asm__("a4") = IPC_BASE;
    register uintptr_t uart __asm__("a5") = UART_BASE;
    register uintptr_t irqc __asm__("a6") = controller == PLIC ? PLIC_BASE : APLIC_BASE;
    register void *part __asm__("a7") = program[cpu];
    __asm__ volatile("jalr a7"
                     : "+r"(check), "+r"(part)
                     : "r"(private), "r"(of_vm), "r"(of_both), "r"(uart), "r"(irqc)
                     : "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a1", "memory");
    return check;
}
