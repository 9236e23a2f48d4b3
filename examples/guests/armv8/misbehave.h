/* What there is to do wrong on Armv8. Included by misbehave.c. */

#define NOWHERE_DEVICE 0x20000000ull /* mapped as a device by stage 1, nothing behind it */
#define NOWHERE_MEMORY 0x7f000000ull /* mapped as memory by stage 1, nothing behind it */
#define MEMORY_ALIAS 0x100000000ull  /* + IPA: RAM's gigabyte at another virtual address */
#define DEVICE_ALIAS 0x200000000ull  /* + IPA: the devices as Normal memory, where an unaligned access is allowed */
#define GICD ((uint64_t)GICD_BASE)
#define GICR ((uint64_t)GICR_BASE)
#define GICD_IGROUPR0 0x80

#define ACCESS(instruction, address) \
    __asm__ volatile(".arch_extension fp\n\t.arch_extension simd\n\tmov x1, %0\n\t" instruction : : "r"(address) \
                     : "x0", "x1", "x2", "x3", "v0", "memory")

#define OWN_EXCEPTION "exception at EL1, ESR"

static void pass_over(struct frame *frame, uint64_t esr) {
    frame->elr = (esr >> 26 & ~1ull) == 0x20 ? frame->x30 : frame->elr + 4;
}

__attribute__((unused)) static int64_t smc(uint64_t function) {
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = 0;
    register uint64_t x2 __asm__("x2") = 0;
    __asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2) : : "x3", "memory");
    return (int64_t)x0;
}

__attribute__((unused)) static void print_call(const char *how, uint64_t function, int64_t result) {
    if (exceptions)
        print_line("misbehave: %s %x: exception, ESR %x", how, function, syndrome);
    else
        print_line("misbehave: %s %x: %d", how, function, result);
    exceptions = 0;
}

__attribute__((unused)) static void make_calls(void) {
    static const uint64_t functions[] = {0x86000000, 0x86000003, 0x8600FFFF, 0x84000050, 0x8400FFFF, 0xC600ABCD,
                                         0x80000000, 0x81000000, 0x12345678, 1};
    for (unsigned i = 0; i < sizeof functions / sizeof *functions; i++)
        print_call("HVC", functions[i], hvc(functions[i], 0, 0, 0));
    for (unsigned i = 0; i < sizeof functions / sizeof *functions; i++)
        print_call("SMC", functions[i], smc(functions[i]));
    print_call("HVC with ipc 99", BAO_IPC, hvc(BAO_IPC, 99, 0, 0));
    print_call("HVC CPU_ON of itself", PSCI_CPU_ON, hvc(PSCI_CPU_ON, 0, 0, 0));
    print_call("HVC CPU_ON of none", PSCI_CPU_ON, hvc(PSCI_CPU_ON, 77, 0, 0));
}

__attribute__((unused)) static void walk(void) {
    WRITE_REGISTER("ttbr0_el1", NOWHERE_MEMORY);
    __asm__ volatile("isb\n\tdsb ishst\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
}

__attribute__((unused)) static void fetch(uint64_t address) { ((void (*)(void))address)(); }

/* Where stage 1 has no say. */
__attribute__((unused)) static void fetch_untranslated(uint64_t address) {
    WRITE_REGISTER("sctlr_el1", READ_REGISTER("sctlr_el1") & ~1ull);
    isb();
    fetch(address);
}

/* Addresses where nothing is. */
MISBEHAVIOUR(unmapped_read, "parks", ACCESS("ldr w0, [x1]", NOWHERE_DEVICE))
MISBEHAVIOUR(unmapped_write, "parks", ACCESS("str w0, [x1]", NOWHERE_DEVICE))
MISBEHAVIOUR(unmapped_fetch, "parks", fetch(NOWHERE_MEMORY))
MISBEHAVIOUR(unmapped_alias, "parks", ACCESS("ldr w0, [x1, #4]", MEMORY_ALIAS + NOWHERE_MEMORY))
MISBEHAVIOUR(unmapped_pair, "parks", ACCESS("stp x0, x2, [x1]", NOWHERE_MEMORY))
MISBEHAVIOUR(unmapped_exclusive, "parks", ACCESS("ldxr x0, [x1]", NOWHERE_MEMORY))
MISBEHAVIOUR(unmapped_walk, "parks", walk())
/* Accesses to the interrupt controller that have no syndrome. */
MISBEHAVIOUR(gicd_pair, "parks", ACCESS("ldp w0, w2, [x1]", GICD))
MISBEHAVIOUR(gicd_writeback, "parks", ACCESS("ldr w0, [x1], #4", GICD))
MISBEHAVIOUR(gicd_exclusive, "parks", ACCESS("ldxr w0, [x1]", GICD))
MISBEHAVIOUR(gicd_simd, "parks", ACCESS("ldr s0, [x1]", GICD))
/* Widths and alignments that its registers do not have. */
MISBEHAVIOUR(gicd_byte, "parks", ACCESS("ldrb w0, [x1]", GICD))
MISBEHAVIOUR(gicd_half, "parks", ACCESS("strh w0, [x1]", GICD + GICD_IGROUPR0))
MISBEHAVIOUR(gicd_double, "parks", ACCESS("ldr x0, [x1]", GICD + GICD_IGROUPR0))
MISBEHAVIOUR(gicd_unaligned, "parks", ACCESS("ldr w0, [x1]", DEVICE_ALIAS + GICD + 2))
MISBEHAVIOUR(gicr_double, "parks", ACCESS("str x0, [x1]", GICR))
/* Devices: no code, and where the bus refuses. The VM's window is larger than the UART. */
MISBEHAVIOUR(device_fetch, "parks", fetch_untranslated(UART_BASE))
MISBEHAVIOUR(device_behind, "own", ACCESS("ldr w0, [x1]", (uint64_t)UART_BASE + 0x8000))
MISBEHAVIOUR(device_exclusive, "own", ACCESS("ldxr w0, [x1]\n\tstxr w2, w0, [x1]", (uint64_t)UART_BASE + 0x24))
/* System registers that Bao traps and has no handler for. */
MISBEHAVIOUR(sgi0r, "parks", WRITE_REGISTER("s3_0_c12_c11_7", 1))
MISBEHAVIOUR(asgi1r, "parks", WRITE_REGISTER("s3_0_c12_c11_6", 1))
/* Calls that do not exist. */
MISBEHAVIOUR(calls, "answered", make_calls())
/* What the architecture makes an exception of the guest's own. */
MISBEHAVIOUR(el2_register, "own", WRITE_REGISTER("vttbr_el2", 0))
MISBEHAVIOUR(undefined, "own", ({ __asm__ volatile(".inst 0x00000000"); }))
MISBEHAVIOUR(unmapped_by_guest, "own", ACCESS("ldr w0, [x1]", 0x300000000ull))

