/* What there is to do wrong on RISC-V. Included by misbehave.c. */
#include "irqc.h"
#include "tables.h"

#define NOWHERE 0x7f000000ull     /* nothing behind it */
#define RAM_ALIAS 0x140000000ull  /* + what is in RAM's gigabyte: the same at another virtual address, 7 GiB */
#define BEHIND_RAM (RAM_BASE + 0x3f000000ull)
#define MAPPED 0x300000000ull     /* 12 GiB: what a guest maps there itself */

#define OWN_EXCEPTION "exception at S, scause"

/* An own exception skips its instruction; a fetch of nothing returns to the caller. */
static void pass_over(struct frame *frame, uint64_t cause) {
    if (cause == 12)
        frame->pc = frame->x[0];
    else
        skip_instruction(frame);
}

#define RUN(...) __asm__ volatile(__VA_ARGS__ : : : "t0", "t1", "memory")
#define ACCESS(instruction, address) \
    __asm__ volatile(".option push\n\t.option arch, +f, +d\n\t" instruction "\n\t.option pop" : : "r"((uint64_t)(address)) \
                     : "a0", "a1", "t0", "t1", "memory")

__attribute__((unused)) static void fetch(uint64_t address) { ((void (*)(void))address)(); }

/* With tables that are nowhere. The fetch of the next instruction walks. */
__attribute__((unused)) static void walk(void) {
    WRITE_REGISTER("satp", NOWHERE >> 12 | 8ull << 60);
    publish_tables();
}

/* The next level of the tables is nowhere. */
__attribute__((unused)) static void walk_on(void) {
    translation_table[MAPPED >> 30] = NOWHERE >> 2 | 1;
    publish_tables();
    ACCESS("ld a0, 0(%0)", MAPPED);
}

/* A leaf of a page of this guest, with other bits than A and D. */
__attribute__((unused)) static uint64_t map_leaf(uint64_t bits) {
    static _Alignas(4096) uint64_t second[512], third[512], page[512];
    third[0] = (uintptr_t)page >> 2 | bits;
    second[0] = table_descriptor(third);
    translation_table[MAPPED >> 30] = table_descriptor(second);
    publish_tables();
    return MAPPED;
}

/* A register of the controller that there is: of a PLIC a priority, or the threshold, of an APLIC the configuration of a source. */
__attribute__((unused)) static uint64_t irqc_register(void) { return controller == PLIC ? PLIC_BASE + 4 * 50 : APLIC_BASE + 4 * 50; }
__attribute__((unused)) static uint64_t behind_irqc(void) { return controller == PLIC ? PLIC_BASE + 0x1ff000 : APLIC_BASE + 0x8000; }

__attribute__((unused)) static void call(const char *what, uint64_t extension, uint64_t function, uint64_t a, uint64_t b, uint64_t c) {
    struct answer answer = sbi(extension, function, a, b, c, 0);
    print_line("misbehave: %s %x %u: %d, %x", what, extension, function, answer.error, (uint64_t)answer.value);
}

__attribute__((unused)) static void make_calls(void) {
    static const uint64_t extensions[] = {0, 2, 3, 9, 0x504D55, 0x535553, 0x4E41434C, 0x0A000000, 0x12345678, 0x100000010, ~0ull};
    for (unsigned i = 0; i < sizeof extensions / sizeof *extensions; i++) call("SBI", extensions[i], 0, 0, 0, 0);
    call("BASE, unknown", SBI_BASE, 7, 0, 0, 0);
    call("TIME, unknown", SBI_TIME, 1, 0, 0, 0);
    call("IPI, unknown", SBI_IPI, 1, 0, 0, 0);
    call("IPI to none", SBI_IPI, 0, ~0ull << 8, 0, 0);
    call("IPI to all", SBI_IPI, 0, 0, ~0ull, 0);
    call("RFENCE, unknown", SBI_RFENCE, 3, 1, 0, 0);
    call("RFENCE of base 64", SBI_RFENCE, 0, 1, 64, 0);
    call("RFENCE of all", SBI_RFENCE, 0, 0, ~0ull, 0);
    call("HSM start of itself", SBI_HSM, 0, 0, 0, 0);
    call("HSM start of none", SBI_HSM, 0, 77, 0, 0);
    call("HSM status of none", SBI_HSM, 2, 77, 0, 0);
    call("HSM suspend, unknown", SBI_HSM, 3, 0x0fffffff, 0, 0);
    call("HSM, unknown", SBI_HSM, 9, 0, 0, 0);
    print_line("misbehave: hypercall with ipc 99: %d", ipc_notify(99, 0));
    struct answer unknown = sbi(BAO, 99, 0, 0, 0, 0);
    print_line("misbehave: hypercall 99: %d, %d", unknown.error, unknown.value);
}

/* Addresses where nothing is. */
MISBEHAVIOUR(unmapped_read, "parks", ACCESS("lw a0, 0(%0)", NOWHERE))
MISBEHAVIOUR(unmapped_write, "parks", ACCESS("sw a0, 0(%0)", NOWHERE))
MISBEHAVIOUR(unmapped_fetch, "parks", fetch(NOWHERE))
MISBEHAVIOUR(unmapped_alias, "parks", ACCESS("lw a0, 4(%0)", RAM_ALIAS + BEHIND_RAM))
MISBEHAVIOUR(unmapped_compressed, "parks", ACCESS("mv a1, %0\n\tc.ld a0, 0(a1)", NOWHERE))
MISBEHAVIOUR(unmapped_float, "parks", ACCESS("fld fa0, 0(%0)", NOWHERE))
MISBEHAVIOUR(unmapped_reserve, "parks", ACCESS("lr.d a0, (%0)", NOWHERE))
MISBEHAVIOUR(unmapped_amo, "parks", ACCESS("amoadd.d a0, a0, (%0)", NOWHERE))
MISBEHAVIOUR(unmapped_walk, "parks", walk())
MISBEHAVIOUR(unmapped_walk_on, "parks", walk_on())
MISBEHAVIOUR(unmapped_vector, "parks", ({ WRITE_REGISTER("stvec", NOWHERE); own_call(); }))
/* Accesses to the interrupt controller that Bao does not decode: it decodes plain loads and stores. */
MISBEHAVIOUR(irqc_amo, "parks", ACCESS("amoor.w a0, zero, (%0)", irqc_register()))
MISBEHAVIOUR(irqc_reserve, "parks", ACCESS("lr.w a0, (%0)", irqc_register()))
MISBEHAVIOUR(irqc_float, "parks", ACCESS("flw fa0, 0(%0)", irqc_register()))
MISBEHAVIOUR(irqc_fetch, "parks", fetch(irqc_register()))
/* Widths and alignments that its registers do not have, and where it has none. */
MISBEHAVIOUR(irqc_byte, "parks", ACCESS("lbu a0, 0(%0)", irqc_register()))
MISBEHAVIOUR(irqc_half, "parks", ACCESS("sh a0, 0(%0)", irqc_register()))
MISBEHAVIOUR(irqc_double, "parks", ACCESS("ld a0, 0(%0)", irqc_register()))
MISBEHAVIOUR(irqc_compressed, "parks", ACCESS("mv a1, %0\n\tc.ld a0, 0(a1)", irqc_register()))
MISBEHAVIOUR(irqc_unaligned, "parks", ACCESS("lw a0, 2(%0)", irqc_register()))
MISBEHAVIOUR(irqc_behind, "parks", ACCESS("lw a0, 0(%0)", behind_irqc()))
/* Devices: atomics, which the bus refuses, but for a load that reserves; code, which it finds there. What is not aligned. */
MISBEHAVIOUR(device_amo, "parks", ACCESS("amoadd.w a0, a0, (%0)", UART_BASE))
MISBEHAVIOUR(device_reserve, "answered", ACCESS("lr.w a0, (%0)", UART_BASE))
MISBEHAVIOUR(device_fetch, "parks", fetch(UART_BASE))
MISBEHAVIOUR(misaligned_amo, "parks", ACCESS("amoadd.w a0, a0, (%0)", RAM_BASE + 0x800002ull))
MISBEHAVIOUR(misaligned_reserve, "parks", ACCESS("lr.d a0, (%0)", RAM_BASE + 0x800004ull))
/* Instructions that Bao delegates to nobody: illegal ones, and those that are the hypervisor's. */
MISBEHAVIOUR(illegal, "parks", RUN(".word 0"))
MISBEHAVIOUR(illegal_register, "parks", RUN("csrr t0, 0x5c0"))
MISBEHAVIOUR(machine_register, "parks", RUN("csrr t0, mstatus"))
MISBEHAVIOUR(read_only_register, "parks", RUN("csrw time, zero"))
MISBEHAVIOUR(machine_return, "parks", RUN("mret"))
MISBEHAVIOUR(float_off, "parks", ({ CLEAR_BITS("sstatus", 3 << 13); ACCESS("fmv.d.x fa0, zero", 0); }))
MISBEHAVIOUR(hypervisor_register, "parks", RUN("csrr t0, 0x600"))
MISBEHAVIOUR(virtual_register, "parks", RUN("csrr t0, 0x200"))
MISBEHAVIOUR(hypervisor_load, "parks", ACCESS(".insn r 0x73, 4, 0x36, a0, %0, x0", RAM_BASE))
MISBEHAVIOUR(hypervisor_fence, "parks", RUN(".word 0x22000073"))
/* Counters, which parks under `faithful: strict`. */
MISBEHAVIOUR(cycle_counter, "answered", RUN("rdcycle t0"))
MISBEHAVIOUR(instret_counter, "answered", RUN("rdinstret t0"))
/* Calls that do not exist, and arguments that do not fit. */
MISBEHAVIOUR(calls, "answered", make_calls())
/* What is the guest's own: page faults, also for want of A and D, which nobody sets for it, and breakpoints. */
MISBEHAVIOUR(unmapped_by_guest, "own", ACCESS("lw a0, 0(%0)", MAPPED))
MISBEHAVIOUR(fetch_by_guest, "own", fetch(MAPPED))
MISBEHAVIOUR(not_accessed, "own", ACCESS("lw a0, 0(%0)", map_leaf(0x8f)))
MISBEHAVIOUR(not_dirty, "own", ACCESS("sw a0, 0(%0)", map_leaf(0x4f)))
MISBEHAVIOUR(reserved_bits, "own", ACCESS("lw a0, 0(%0)", map_leaf(0xcf | 1ull << 54)))
MISBEHAVIOUR(user_page, "own", ACCESS("lw a0, 0(%0)", map_leaf(0xdf)))
MISBEHAVIOUR(not_canonical, "own", ACCESS("lw a0, 0(%0)", 1ull << 40))
MISBEHAVIOUR(breakpoint, "own", own_call())
