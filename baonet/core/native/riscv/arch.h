/*
 * RISC-V, RV64GC with supervisor mode: the header that the shared files have of their architecture, found by the include
 * path. architecture.h says what each of them has to bring. Its files are in the layers of core.h:
 *
 *   python     methods
 *   accesses   access ask cbo claim csr decode entry exits faults fence float imsic memory observed order refusals walk
 *   cpu        encoding file follow interrupts pte registers stage1 timer trap
 *   library    arch offsets riscv
 */
#ifndef BAONET_ARCH_H
#define BAONET_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "riscv/offsets.h"

#define ARCH_NAME "riscv"
#define ARCH(function) function##_riscv64
#define ARCH_SUFFIX "_riscv64"

#define ARCH_UNICORN UC_ARCH_RISCV, UC_MODE_RISCV64
#define ARCH_UNICORN_PC UC_RISCV_REG_PC

/* Of vectors, which no CPU has here; a pointer, another one, a word. */
#define ARCH_OBSERVED_LOAD helper_gvec_neg8_riscv64
#define ARCH_OBSERVED_STORE helper_gvec_neg16_riscv64
#define ARCH_OBSERVED_OTHER helper_gvec_neg32_riscv64
#define ARCH_OBSERVED_BLOCK helper_gvec_neg64_riscv64

#define ARCH_REGISTERS 32
#define ARCH_INTERRUPT_INPUTS CPU_INTERRUPT_HARD

/* Why run() returned: baonet.hyp.riscv.cpu.RiscvExit has the same numbers. */
enum exit_reason {
    EXIT_NONE = -1,
    EXIT_WFI,
    EXIT_BUDGET,
    EXIT_KICKED,
    EXIT_ECALL,
    EXIT_TRAP,
    EXIT_INTERRUPT,
    EXIT_LINE,
    EXIT_FAULT,
    EXIT_ERROR, /* a Python callback raised; never returned to Python as a number */
};
enum { EXIT_CAUSE, EXIT_TVAL, EXIT_IPA, EXIT_NUMBER, EXIT_VALUE, EXIT_INSTRUCTION, EXIT_IMPLICIT, EXIT_FIELDS };

/* A guest interrupt file (AIA 3): a bit an identity, of which 0 is none. */
#define FILE_IDENTITIES 2048u
#define FILE_WORDS (FILE_IDENTITIES / 64)
struct file {
    uint64_t select; /* siselect */
    uint64_t delivery, threshold;
    uint64_t pending[FILE_WORDS], enabled[FILE_WORDS];
};

/* stimecmp; without Sstc the hypervisor's own. */
struct timer {
    uint64_t compare;
    uint64_t due; /* virtual time: the first cycle at which the counter has reached it */
    bool fired;   /* since it was set */
};

struct trap { /* as the guest sees it */
    uint64_t cause, epc, tval;
};

#define ARCH_STATE_VERSION 1u
struct arch_state {
    uint64_t lines; /* hvip: as bits of sip */
    uint64_t senvcfg;
    struct timer timer;
    struct file file;
    struct trap last; /* that the guest took itself, in this life of it */
    uint8_t flags;    /* fflags as the library has them, of a guest that stands */
};
_Static_assert(sizeof(struct arch_state) == 608, "another layout is another ARCH_STATE_VERSION");

struct arch_scratch {
    uintptr_t access; /* return address of the latest load or store that took the slow path, */
    uint64_t address; /* and where it goes */
};

struct arch_iteration {}; /* registers and memory are all */

struct arch_wiring {
    uint64_t hart;
    bool sstc, aia;
    bool counters;          /* hcounteren has cycle and instret, too */
    unsigned identities;    /* the highest of the file */
    uint64_t files;         /* guest-physical: where the files of the VM's harts are, a page each */
    unsigned files_of_harts; /* how many */
};

#endif
