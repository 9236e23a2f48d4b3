/*
 * An architecture of a few lines: RISC-V without interrupts, timers or translation, as the library has it after its reset.
 * What the shared files of the native engine are compiled with to show that they need no more than architecture.h says.
 */
#ifndef BAONET_ARCH_H
#define BAONET_ARCH_H

#include <stdint.h>

#define ARCH_NAME "toy"
#define ARCH(function) function##_riscv64
#define ARCH_SUFFIX "_riscv64"

#define ARCH_UNICORN UC_ARCH_RISCV, UC_MODE_RISCV64
#define ARCH_UNICORN_PC UC_RISCV_REG_PC

#define TCG_TABLE 35000
#define CPU_TLB_VICTIMS 33296
#define TLB_WINDOW_BEGIN -32
#define CPU_TLB_FAST 36032
#define CPU_ENV 36112
#define ENV_REGISTERS 0
#define ENV_PC 512
#define ENV_KEPT 1528 /* rdtime_fn; behind it is how floating point rounds, which the toy's guests do not ask */
#define ENV_UC 1560

/* Of no use: the toy has no model of its memory. */
#define ARCH_OBSERVED_LOAD helper_sve_clr_b_riscv64
#define ARCH_OBSERVED_STORE helper_sve_clr_h_riscv64
#define ARCH_OBSERVED_OTHER helper_sve_clr_s_riscv64
#define ARCH_OBSERVED_BLOCK helper_sve_clr_d_riscv64

#define ARCH_REGISTERS 32
#define ARCH_MMU_INDEXES 4
#define ARCH_PAGE_BITS_MIN 12
#define ARCH_INTERRUPT_INPUTS CPU_INTERRUPT_HARD
#define INSN_START_WORDS 1

enum exit_reason {
    EXIT_NONE = -1,
    EXIT_WFI,
    EXIT_BUDGET,
    EXIT_KICKED,
    EXIT_CALL,
    EXIT_INTERRUPT,
    EXIT_LINE,
    EXIT_FAULT,
    EXIT_ERROR,
};
enum { EXIT_NUMBER, EXIT_VALUE, EXIT_FIELDS };

#define ARCH_STATE_VERSION 1u
struct arch_state {
    uint64_t calls;
};
struct arch_scratch {
    uint64_t nothing;
};
struct arch_iteration {};
struct arch_wiring {
    uint64_t id; /* its only keyword */
};

#endif
