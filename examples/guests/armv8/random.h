/* Of random.c: which registers a part has, and which it may use. */

static uint64_t run(unsigned cpu) {
    register uint64_t check __asm__("x4") = cpu + 1;
    register void *private __asm__("x12") = &own[cpu];
    register void *of_vm __asm__("x13") = shared;
    register uintptr_t of_both __asm__("x14") = IPC_BASE;
    register uintptr_t uart __asm__("x15") = UART_BASE;
    register uintptr_t gicd __asm__("x16") = GICD_BASE;
    register void *part __asm__("x17") = program[cpu];
    __asm__ volatile("blr x17"
                     : "+r"(check), "+r"(part)
                     : "r"(private), "r"(of_vm), "r"(of_both), "r"(uart), "r"(gicd)
                     : "x0", "x1", "x2", "x3", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x18", "x30", "memory", "cc");
    return check;
}
