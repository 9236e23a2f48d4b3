/*
 * One emulated CPU: what it is made of, what it shares with other processes, and the numbers that Python knows as well.
 *
 * The native engine is what a core needs below Python, on the stock libunicorn of the unicorn wheel. A header beside each
 * file says what it offers. A file includes headers of its own layer or of lower ones, and there is no circle among them:
 * tests/core/test_layers.py reads this table, the lowest layer last. `cpu` and `accesses` are Armv8's, in armv8/, which has
 * armv8/offsets.h besides.
 *
 *   python     construct examine module type
 *              the module and its type Core
 *   run        run settle translate
 *              entering the guest, the start of a block, the code that TCG generates
 *   accesses   access align at debug decode identification interface registers stage2 views32 watch
 *              what instructions do that the library does not do as a CPU does, or not at all
 *   shared     broadcast events pages pl011
 *              what others are to hear of, and what is shared with them
 *   cpu        aarch32 bus debug_state encoding32 encoding64 exceptions flags interface_state pmu register_table timer walk
 *              one CPU, as its architecture has it
 *   core       clock code_map core count leave regions storm tlb trace
 *              time, memory, translations, and the way out of the guest
 *   library    atomics confined layout library offsets unicorn
 *              the library below: symbols, structure offsets of exactly one wheel, and the checks that they hold
 *
 * The files outside armv8/ are for any architecture that the library has, but for what follows; a header of the architecture
 * (the suffix, the offsets, a few functions by common names) would let them be compiled once for each.
 *
 *   the suffix _aarch64 of the library's functions: atomics broadcast count pages regions storm tlb translate unicorn
 *   where the PC and the registers are (ENV_*), how many MMU indexes there are: core examine tlb
 *   numbers of exceptions and of interrupt inputs, syndromes: leave run storm type
 *   the words of an instruction in a block's table, the check of a system register: count
 *   the release barrier of STLR: translate
 *   state of its own (ich, timers, pmu, watching, double_locked), EXIT_HVC, _SMC and _SYSTEM_REGISTER: core run
 *   armv8/ by its functions: construct (its reset, its interrupt controller), events (timers, maintenance), examine, pages
 *   (stage 1), run (the registers that the hypervisor sees, interrupt inputs), settle (timers), translate (alignment, what
 *   is decoded), type
 */
#ifndef BAONET_CORE_H
#define BAONET_CORE_H

#include <stdatomic.h>

#include "library.h"

#define PAGE_SIZE 0x1000u
#define PAGE_MASK (~(uint64_t)(PAGE_SIZE - 1))
#define MAX_SIBLINGS 512
#define EVENTS 1024 /* a power of two, and more than a block of guest code can note but of lines */

/* Why run() returned: baonet.hyp.cpu.Exit has the same numbers. */
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
enum { EXIT_ESR, EXIT_FAR, EXIT_IPA, EXIT_INTID, EXIT_VALUE, EXIT_REGISTER, EXIT_FIELDS };

/* Indexes of the virtual CPU interface's registers: baonet.hyp.cpu has the same numbers. */
enum { ICH_LR0 = 0, ICH_HCR = 16, ICH_VMCR = 17, ICH_AP0R0 = 18, ICH_AP1R0 = 22, ICH_REGISTERS = 26 };

/*
 * One per vCPU in memory that the processes of a node share: a page for those of its VM, and one for all that may have
 * something to say to it. `kick` is 0, or more than any budget when somebody wants the vCPU's attention: the code at the
 * start of every translated block leaves when the budget is less than it.
 */
#define KICK_NOW 0x7ffffff0
#define KICK_DOORBELL 1
#define KICK_MAINTENANCE 2
#define PENDING_PAGES 24
#define SLOT_PAGE 0x1000
struct slot {
    int32_t budget;
    _Atomic uint32_t in_guest;
    _Atomic uint32_t lock;
    _Atomic uint64_t asked;
    _Atomic uint64_t done;
    uint32_t tlb_all;
    uint32_t code_all;
    uint32_t tlb_pages;
    uint32_t code_count;
    uint64_t tlb_page[PENDING_PAGES]; /* virtual page | map of MMU indexes in the low 12 bits */
    uint64_t code[PENDING_PAGES]; /* RAM offset | what is to be done there (broadcast.c) */
    /* The host takes a load for one of the store before it if they are equal in the low 12 bits: not those of `budget`. */
    char elsewhere[64] __attribute__((aligned(SLOT_PAGE)));
    _Atomic int32_t kick;
} __attribute__((aligned(SLOT_PAGE)));
_Static_assert(sizeof(struct slot) == 2 * SLOT_PAGE, "baonet.memory.node: the second page is the kick word's");

struct region {
    uint64_t ipa, size;
    bool foreign;        /* others than this VM write to it too */
    bool unassigned;     /* a device's window, of which nothing answers */
    uint64_t ram_offset; /* Unicorn's own offset of this RAM, the same in every process of the VM */
    uint8_t *host;       /* NULL: a device */
    void *memory_region; /* the library's, looked up once */
};
struct window {
    uint64_t base, size;
};

/* Of stage 1 by the guest's tables, the latest. */
struct walk {
    unsigned loads;
    bool failed, refused, oversized; /* at stage 2; by a device; the table is beyond the output size */
    uint64_t ipa;                    /* of the entry that could not be loaded */
    uint64_t descriptor;    /* the last that was */
};

struct uart_state; /* in shared memory: pl011.c */
struct uart {
    struct core *core;
    struct uart_state *state;
    unsigned number;
    uint32_t intid;
    uint8_t *out;
    size_t out_length;
    uint64_t out_position;
};

enum { TIMER_VIRTUAL, TIMER_PHYSICAL };
enum { TIMER_TVAL, TIMER_CTL, TIMER_CVAL }; /* op2 */
struct event {
    enum exit_reason reason; /* INTERRUPT, MAINTENANCE, DEACTIVATED or LINE */
    uint32_t intid;
    uint64_t value; /* of LINE: sequence << 1 | level */
};
enum { FROM_TIMER, FROM_LINE }; /* who raised an interrupt */

struct timer {
    uint32_t intid;
    bool assigned, active;
    uint64_t ctl, cval;
    uint64_t due; /* virtual time: the first cycle at which the counter has reached cval */
};
#define TIMER_ENABLE 1u
#define TIMER_IMASK 2u
static inline bool timer_armed(const struct timer *timer) {
    return timer->assigned && !timer->active && (timer->ctl & (TIMER_ENABLE | TIMER_IMASK)) == TIMER_ENABLE;
}

struct exception { /* as EL1 sees it */
    uint32_t esr, spsr;
    uint64_t elr, far;
};

#define PMU_COUNTERS 6 /* of events; behind them in the arrays comes the cycle counter */
struct pmu {
    uint64_t since, rest; /* until when it has counted; cycles that PMCR_EL0.D left over */
    uint32_t control, enabled, overflowed, interrupting, selected;
    uint32_t type[PMU_COUNTERS + 1];
    uint64_t value[PMU_COUNTERS + 1];
};

/* What a record tells: baonet.trace.records has the same numbers, and what a, b and c are. */
enum kind {
    TRACE_EXIT = 1,
    TRACE_ACCESS,
    TRACE_WAIT,
    TRACE_WAKE,
    TRACE_RAISED,
    TRACE_PENDING,
    TRACE_DELIVERED,
    TRACE_ACKNOWLEDGED,
    TRACE_ENDED,
    TRACE_CONSOLE = 12,
    TRACE_INPUT,
    TRACE_MARK,
    TRACE_ENTRY = 17
};
struct record {
    uint64_t time;
    uint16_t kind, pcpu;
    uint32_t a;
    uint64_t b, c;
};
#define TRACE_RECORDS 2048u
enum { COST_ACCESS = EXIT_ERROR, COSTS }; /* those before are of exits, by their numbers */

struct core {
    PyObject_HEAD
    void *uc, *cpu;
    uint8_t *env;
    struct slot *slots, *slot;
    unsigned index;
    uint32_t process; /* that this core runs in */
    unsigned sibling_count;
    uint16_t siblings[MAX_SIBLINGS];
    _Atomic uint64_t *code_map; /* of the VM: pages.c */
    size_t map_words;
    bool code_emptied;     /* the library has dropped the last translation of the page that is being written */
    uint64_t emptied_page; /* 1 + the page of which that was so; 0: none */
    uint64_t last_line; /* of the latest IC IVAU that found code */
    unsigned lines_in_a_row;

    unsigned region_count, window_count, uart_count;
    struct region *regions;
    struct window *windows;
    struct uart **uarts; /* the library keeps the address of each */
    uint64_t ram_end;
    struct walk walk;
    uintptr_t checked_access; /* return address of the latest load or store that took the slow path */
    uint32_t watching;        /* a bit a watchpoint that is enabled */
    bool double_locked;
    unsigned cluster; /* cores in it, this among them */

    /* leaving the guest */
    enum exit_reason reason;
    bool doorbell, out_of_budget, yielded, leave_block, flush_code;
    uint64_t exit[EXIT_FIELDS];
    int64_t left;
    uint64_t granted;
    uint64_t entered; /* instructions retired when the stay began */
    uintptr_t checked_from; /* while the access to a system register is checked */
    uintptr_t granted_from; /* of the latest that was allowed */

    /* exceptions that the guest takes itself, in this life of it */
    struct exception last_exception;
    uint64_t exceptions, spell, spell_began; /* instructions of the last spell of exceptions, and retired when it began */
    unsigned repeated;                       /* how often the last one came again */
    unsigned strain;                         /* of this stay: what cost the host as much as so many exceptions */
    bool storm, storm_seen, storm_told;
    uint64_t interrupts, interrupts_began;         /* taken, and instructions retired when the spell of them began */
    bool interrupt_storm, storm_of_interrupts;     /* there is one; it was the first storm of this life */

    /* virtual CPU interface */
    unsigned list_registers;
    bool gicv3, gicv2;
    uint64_t ich[ICH_REGISTERS];
    bool maintenance; /* is asked for, and noted */

    /* what the hypervisor has not heard yet */
    struct event events[EVENTS];
    unsigned event_head, event_tail;
    enum exit_reason deferred; /* what the guest was left for, after the events; EXIT_NONE: nothing */
    uint64_t deferred_value;

    /* generic timer: TIMER_VIRTUAL, TIMER_PHYSICAL */
    struct timer timers[2];
    uint64_t frequency, epoch, tick_multiplier;

    /* virtual time, in cycles: what is retired, and `skipped` by waiting and by what the hypervisor's work costs */
    uint64_t hz; /* cycles a second; 0: the host's clock */
    uint64_t skipped, limit;
    uint64_t seen; /* the latest time that the guest has read */
    uint64_t random; /* how often it has asked for a random number */
    struct pmu pmu;
    uint64_t costs[COSTS];
    bool polite; /* a guest that yields leaves: somebody else has something to do */
    bool waiting, outside; /* since the last WFI; since the last exit */

    struct record *records; /* NULL: nobody wants them */
    unsigned record_count;
    uint64_t latest, chunk_began; /* time of the last record; the host's clock at the first in `records` */
    PyObject *chunks;

    /* Python's side */
    PyObject *read_emulated, *write_emulated, *outbox;
    PyObject *buffers; /* what the pointers above point into */
    PyObject *pieces;  /* console output that another core interrupted: (uart, position, bytes) */
    uint64_t statistics[EXIT_ERROR];
    uint64_t native_exceptions, emulated_accesses, broadcasts, translated, invalidated;
    void *pristine;
};

static inline uint64_t *core_x(struct core *core) { return &FIELD(uint64_t, core->env, ENV_XREGS); }
static inline uint64_t core_get(struct core *core, unsigned r) { return r == 31 ? 0 : core_x(core)[r]; }
/* Instructions, since the core was made. */
static inline uint64_t core_retired(const struct core *core) {
    return core->granted - (uint64_t)(core->left + core->slot->budget);
}
#define core_pc(core) FIELD(uint64_t, (core)->env, ENV_PC)

#endif
