/*
 * Armv8-A: the header that the shared files have of their architecture, found by the include path. architecture.h says
 * what each of them has to bring. Its files are in the layers of core.h:
 *
 *   python     methods
 *   accesses   access align at debug decode entry identification interface observed order registers stage2 upkeep views32 watch
 *   cpu        aarch32 bus debug_state encoding32 encoding64 exceptions exits flags follow interface_state partial pmu register_table stage1 timer walk
 *   library    arch arm offsets
 */
#ifndef BAONET_ARCH_H
#define BAONET_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "armv8/offsets.h"

#define ARCH_NAME "armv8"
#define ARCH(function) function##_aarch64
#define ARCH_SUFFIX "_aarch64"

#define ARCH_UNICORN UC_ARCH_ARM64, UC_MODE_ARM
#define ARCH_UNICORN_PC UC_ARM64_REG_PC

/* Of SVE, which no CPU has here; a pointer, 64 bits, a word. */
#define ARCH_OBSERVED_LOAD helper_sve_clr_b_aarch64
#define ARCH_OBSERVED_STORE helper_sve_clr_h_aarch64
#define ARCH_OBSERVED_OTHER helper_sve_clr_s_aarch64
#define ARCH_OBSERVED_BLOCK helper_sve_clr_d_aarch64

#define ARCH_REGISTERS 31
#define ARCH_INTERRUPT_INPUTS (CPU_INTERRUPT_HARD | CPU_INTERRUPT_FIQ)
#define CPU_INTERRUPT_FIQ 0x10u

/* Why run() returned: baonet.hyp.armv8.cpu.Exit has the same numbers. */
enum exit_reason {
    EXIT_NONE = -1,
    EXIT_WFI,
    EXIT_BUDGET,
    EXIT_KICKED,
    EXIT_HVC,
    EXIT_SMC,
    EXIT_DATA_ABORT,
    EXIT_SYSTEM_REGISTER,
    EXIT_INTERRUPT,
    EXIT_MAINTENANCE,
    EXIT_DEACTIVATED,
    EXIT_LINE,
    EXIT_FAULT,
    EXIT_ERROR, /* a Python callback raised; never returned to Python as a number */
};
enum { EXIT_ESR, EXIT_FAR, EXIT_IPA, EXIT_NUMBER, EXIT_VALUE, EXIT_REGISTER, EXIT_FIELDS };

/* Indexes of the virtual CPU interface's registers: baonet.hyp.armv8.cpu has the same numbers. */
enum { ICH_LR0 = 0, ICH_HCR = 16, ICH_VMCR = 17, ICH_AP0R0 = 18, ICH_AP1R0 = 22, ICH_REGISTERS = 26 };

enum { TIMER_VIRTUAL, TIMER_PHYSICAL, TIMERS };
enum { TIMER_TVAL, TIMER_CTL, TIMER_CVAL }; /* op2 */
struct timer {
    uint32_t intid;
    bool assigned, active;
    uint64_t ctl, cval;
    uint64_t due; /* virtual time: the first cycle at which the counter has reached cval */
};

struct exception { /* as EL1 sees it */
    uint32_t esr, spsr;
    uint64_t elr, far;
};

#define PMU_COUNTERS 6 /* of events; behind them in the arrays comes the cycle counter */
struct pmu {
    uint64_t since, rest; /* until when it has counted; cycles that PMCR_EL0.D left over */
    uint32_t control, enabled, overflowed, interrupting, selected;
    uint32_t active; /* 1: its interrupt has been told, and the guest has not ended it */
    uint32_t type[PMU_COUNTERS + 1];
    uint64_t value[PMU_COUNTERS + 1];
    uint64_t told[PMU_COUNTERS]; /* how often what each counts has been in all, as far as it knows; where memory takes time */
};

#define ARCH_STATE_VERSION 4u
struct arch_state {
    uint64_t random; /* how often the guest has asked for a random number */
    bool double_locked;
    uint32_t watching; /* a bit a watchpoint that is enabled */

    /* virtual CPU interface */
    uint64_t ich[ICH_REGISTERS];
    bool maintenance; /* is asked for, and noted */

    struct timer timers[TIMERS];
    struct pmu pmu;
    struct exception last_exception; /* that the guest took itself, in this life of it */

    /* of the instruction at which the guest was left in the midst of a block: below here it has stored already; 0: nothing */
    uint64_t stored;
    uint32_t stored_by;
};
_Static_assert(sizeof(struct arch_state) == 512, "another layout is another ARCH_STATE_VERSION");

/* Of stage 1 by the guest's tables, the latest. */
struct walk {
    unsigned loads;
    bool failed, refused, oversized; /* at stage 2; by a device; the table is beyond the output size */
    bool blocked;                    /* the entry is in a page that may not be had now */
    uint64_t ipa;                    /* of the entry that could not be loaded */
    uint64_t descriptor;             /* the last that was */
};

struct arch_scratch {
    struct walk walk;
    uintptr_t checked_access; /* return address of the latest load or store that took the slow path */
    uint64_t checked_address; /* where it goes */
    uint64_t checked_store;   /* where it stores; 0: it loads */
    uintptr_t checked_from;   /* while the access to a system register is checked */
    uintptr_t granted_from;   /* of the latest that was allowed */
};

/* NZCV in an iteration that is followed (polling.h), and the conditions whose outcome is known in all. */
struct arch_iteration {
    uint8_t first, last;
    uint8_t known; /* a bit for each two conditions, by their numbers */
    bool read, written; /* before it was written; at all */
};

struct arch_wiring {
    uint64_t mpidr, midr;
    unsigned cluster; /* cores in it, this among them */
    unsigned list_registers;
    bool gicv3, gicv2;
    bool monitors; /* the VM has the interrupt of the performance monitors */
};

#endif
