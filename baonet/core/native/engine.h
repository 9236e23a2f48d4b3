/*
 * The native engine: what one emulated CPU needs below Python, on the stock libunicorn of the unicorn wheel.
 *
 *   unicorn.c    the library: symbols, structure offsets of exactly one wheel, and the checks that they hold
 *   translate.c  what is changed in the code that TCG generates (atomics, ordering, instruction count, stop points)
 *   decode.c     what the decoder is given to decode
 *   encoding32.c which A32 and T32 encodings are not there, and how the others ask their accesses to be aligned
 *   count.c      the count of instructions where a block does not run to its end
 *   aarch32.c    AArch32 at EL0
 *   atomics.c    the read-modify-write helpers that the wheel compiles without a lock
 *   stage2.c     guest-physical memory: RAM, devices, emulated windows, and stage-2 aborts for all else
 *   walk.c       stage 1: the guest's own tables
 *   access.c     the slow path of loads and stores
 *   align.c      alignment: of what the code, the stack pointer and Device memory ask for
 *   watch.c      watchpoints
 *   debug.c      breakpoints and single step
 *   exceptions.c exceptions of the guest's own that the library leaves out or describes wrongly
 *   bus.c        accesses that the bus refuses: synchronous external aborts
 *   pages.c      which pages hold translated code, and instruction-cache maintenance
 *   broadcast.c  what must reach the sibling vCPUs of a VM: maintenance of TLBs and of translated code
 *   interface.c  the GIC virtual CPU interface (ICH_* list registers behind ICC_* and GICV)
 *   registers.c  system registers that are served natively
 *   identification.c what the ID registers promise, and the registers that come with it
 *   timer.c      the generic timer
 *   events.c     what the hypervisor is to hear of, in the order in which it happened
 *   clock.c      what time it is: the host's, or virtual time that retired instructions make
 *   pmu.c        the performance monitors
 *   trace.c      what happened when: records for the digest of a run and for its trace
 *   pl011.c      the UART
 *   run.c        entering the guest, leaving it, and why
 *   storm.c      exceptions that the guest takes itself, and when they are a storm
 *   examine.c    what a report shows of a core, and how the machine's CPUs are when a run ends
 *   construct.c  making a core
 *   module.c     the Python type
 */
#ifndef BAONET_ENGINE_H
#define BAONET_ENGINE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

#define EXPORT __attribute__((visibility("default")))
#define unlikely(x) __builtin_expect(!!(x), 0)

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

#define PMU_COUNTERS 6 /* of events; behind them in the arrays comes the cycle counter */
struct exception { /* as EL1 sees it */
    uint32_t esr, spsr;
    uint64_t elr, far;
};

struct pmu {
    uint64_t since, rest; /* until when it has counted; cycles that PMCR_EL0.D left over */
    uint32_t control, enabled, overflowed, interrupting, selected;
    uint32_t type[PMU_COUNTERS + 1];
    uint64_t value[PMU_COUNTERS + 1];
};

/* What a record tells: baonet.wire.trace has the same numbers, and what a, b and c are. */
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

extern _Thread_local struct core *running;

/* unicorn.c */
extern struct unicorn {
    /* public API */
    int (*open)(int, int, void **);
    int (*close)(void *);
    int (*ctl)(void *, int, ...);
    int (*reg_write)(void *, int, const void *);
    int (*reg_read)(void *, int, void *);
    int (*hook_add)(void *, size_t *, int, void *, void *, uint64_t, uint64_t, ...);
    int (*mem_map_ptr)(void *, uint64_t, uint64_t, uint32_t, void *);
    int (*mmio_map)(void *, uint64_t, uint64_t, void *, void *, void *, void *);
    int (*context_alloc)(void *, void **);
    int (*context_save)(void *, void *);
    int (*context_restore)(void *, void *);
    int (*free)(void *);
    const char *(*strerror)(int);
    /* QEMU's own functions, as the wheel exports them */
    int (*cpu_exec)(void *, void *);
    void (*do_interrupt)(void *);
    bool (*exec_interrupt)(void *, int);
    void (*loop_exit)(void *);
    void (*loop_exit_restore)(void *, uintptr_t);
    bool (*restore_state)(void *, uintptr_t, bool);
    void *(*tb_lookup)(void *, uintptr_t);
    bool (*tlb_fill)(void *, uint64_t, int, int, int, bool, uintptr_t);
    bool (*get_phys_addr)(void *, uint64_t, int, int, uint64_t *, uint32_t *, int *, uint64_t *, void *, void *);
    void *(*find_memory)(void *, uint64_t);
    uint64_t (*load_table)(void *, void *, uint64_t, uint32_t, uint32_t *);
    void (*set_page)(void *, uint64_t, uint64_t, uint32_t, int, int, uint64_t);
    uint64_t (*page_addr_code)(void *, uint64_t);
    uint32_t (*load_code)(void *, uint64_t);
    uint32_t (*load_half)(void *, uint64_t);
    void (*set_dirty)(void *, uint64_t);
    void (*unprotect_code)(void *, uint64_t);
    void (*store_to_code)(void *, void *, uint64_t, int, uintptr_t);
    void (*reset_dirty)(void *, uint64_t, uint64_t);
    void (*tlb_flush)(void *);
    void (*tlb_flush_mmuidx)(void *, uint16_t);
    void (*tlb_flush_page_mmuidx)(void *, uint64_t, uint16_t);
    void (*tlb_flush_mmuidx_synced)(void *, uint16_t);
    void (*tlb_flush_page_mmuidx_synced)(void *, uint64_t, uint16_t);
    void (*tb_flush)(void *);
    void (*tb_invalidate)(void *, uint64_t, uint64_t);
    void (*rebuild_hflags)(void *);
    void *(*get_reginfo)(void *, uint32_t);
    void (*define_reg)(void *, void *, void *);
    void (*check_exit_request)(void *, uint32_t);
    void (*check_access)(void *, void *, uint32_t, uint32_t);
    void (*raise_exception)(void *, uint32_t, uint32_t, uint32_t);
    void (*breakpoint)(void *, uint32_t);
    void (*sync_32_to_64)(void *);
    void (*sync_64_to_32)(void *);
    uint32_t (*read_cpsr)(void *);
    void (*exception_return)(void *, uint64_t);
    void (*exception_internal)(void *, uint32_t);
    void (*check_breakpoints)(void *);
    void (*rebuild_hflags_a64)(void *, int);
    void (*rebuild_hflags_a32)(void *, int);
    void (*unaligned_access)(void *, uint64_t, int, int, uintptr_t);
    void (*dc_zva)(void *, uint64_t);
    void (*ld_i64)(void *, void *, void *, uint64_t, uint32_t);
    uint64_t (*ret_ldub)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*le_lduw)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*le_ldul)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*le_ldq)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*be_lduw)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*be_ldul)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*be_ldq)(void *, uint64_t, uint32_t, uintptr_t);
    void (*ret_stb)(void *, uint64_t, uint8_t, uint32_t, uintptr_t);
    void (*le_stw)(void *, uint64_t, uint16_t, uint32_t, uintptr_t);
    void (*le_stl)(void *, uint64_t, uint32_t, uint32_t, uintptr_t);
    void (*le_stq)(void *, uint64_t, uint64_t, uint32_t, uintptr_t);
    void (*be_stw)(void *, uint64_t, uint16_t, uint32_t, uintptr_t);
    void (*be_stl)(void *, uint64_t, uint32_t, uint32_t, uintptr_t);
    void (*be_stq)(void *, uint64_t, uint64_t, uint32_t, uintptr_t);
    void (*generate)(void *, void *, int);
    void *(*gen_code)(void *, uint64_t, uint64_t, uint32_t, int);
    void (*func_start)(void *);
    void (*call)(void *, void *, void *, int, void **);
    void *(*emit_op)(void *, int);
    void (*op2)(void *, int, uintptr_t, uintptr_t);
    void *(*temp_new)(void *, int, bool);
    void (*temp_free)(void *, void *);
    void *(*const_i64)(void *, int64_t);
    void *(*const_i32)(void *, int32_t);
    void *(*new_label)(void *);
    void (*brcond_i32)(void *, int, void *, void *, void *);
    void (*mb)(void *, uint32_t);
    void (*ld_i32)(void *, void *, void *, uint64_t, uint32_t);
    void (*st_i32)(void *, void *, void *, uint64_t, uint32_t);
    void (*st_i64)(void *, void *, void *, uint64_t, uint32_t);
    void (*cmpxchg_i32)(void *, void *, void *, void *, void *, uint64_t, uint32_t);
    void (*cmpxchg_i64)(void *, void *, void *, void *, void *, uint64_t, uint32_t);
} unicorn;
int unicorn_load(const char *path);
void *unicorn_symbol(const char *name);
void python_error(PyObject *type, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* fields of Unicorn's structures, by the offsets of layout.h */
#define FIELD(type, base, offset) (*(type *)((uint8_t *)(base) + (offset)))
static inline uint64_t *core_x(struct core *core) { return &FIELD(uint64_t, core->env, ENV_XREGS); }
static inline uint64_t core_get(struct core *core, unsigned r) { return r == 31 ? 0 : core_x(core)[r]; }
#define core_pc(core) FIELD(uint64_t, (core)->env, ENV_PC)

/* walk.c */
bool get_phys_addr_aarch64(void *env, uint64_t va, int access, int mmu_index, uint64_t *ipa, uint32_t *attributes, int *prot,
                           uint64_t *page_size, void *info, void *memory_type);
int walk_define(struct core *core);
bool stage1_translate(struct core *core, uint64_t va, int access, int mmu_index, uint64_t *ipa, uint32_t *memory_type);

/* access.c */
bool access_keep_slow(struct core *core, uint64_t va, uint32_t memory_type, uint64_t *read, uint64_t *write);

/* encoding32.c: how the accesses of an instruction are aligned, as powers of 2 */
#define EACH_ITS_SIZE 7
struct encoding32 {
    bool undefined;
    bool always;    /* and not only if SCTLR_EL1.A asks for it */
    unsigned each;  /* of every access; EACH_ITS_SIZE: as large as it is */
    unsigned first; /* of the first one, in any case */
};
struct encoding32 encoding32_of_a32(uint32_t word, bool no_setend);
struct encoding32 encoding32_of_t32(uint32_t half, bool no_setend);
struct encoding32 encoding32_of_wide_t32(uint32_t word);

/* align.c */
void align_instruction32(struct encoding32 of_instruction);
void align_block(uint32_t flags_of_block);
void align_instruction(uint32_t word);
uint32_t align_access(uint32_t memop);
void align_check(struct core *core, uint64_t va, unsigned size, int access, int mmu_index, uintptr_t from);
bool align_maps_device(struct core *core, uint32_t memory_type);
bool align_is_device(struct core *core, uint32_t memory_type);
void arm_cpu_do_unaligned_access_aarch64(void *cpu, uint64_t va, int access, int mmu_index, uintptr_t from);
void arm_rebuild_hflags_aarch64(void *env);

/* debug.c */
bool debug_locked(void *env);
bool debug_is_behind(uint32_t syndrome);
bool debug_return_steps(void *env);
void debug_stepped(void *env, uint32_t number, uint32_t syndrome);

/* exceptions.c */
uint32_t exception_syndrome(uint32_t syndrome);
void raise_exception_ra_aarch64(void *env, uint32_t number, uint32_t syndrome, uint32_t target_el, uintptr_t from);

/* watch.c */
void watch_update(struct core *core);
bool watch_page(struct core *core, uint64_t va);
void watch_check(struct core *core, uint64_t va, uint64_t size, int access, int mmu_index, uintptr_t from);
void watch_check_atomic(struct core *core, uint64_t va, uint64_t size, int mmu_index, uintptr_t from);

/* stage2.c */
bool loads_and_stores(uint32_t instruction);
struct region *stage2_find(struct core *core, uint64_t ipa);
bool stage2_translate(struct core *core, uint64_t va, int access, uint64_t *ipa);
void stage2_abort_on_walk(struct core *core, uint64_t va, int access, uint32_t more, uintptr_t from);
uint64_t stage2_page_of(struct region *region, uint64_t ipa);
void stage2_track_page(struct core *core, uint64_t page);

/* bus.c */
void bus_abort(struct core *core, uint64_t va, int access, uintptr_t from);
void bus_abort_on_walk(struct core *core, uint64_t va, uint32_t level, int access, uintptr_t from);

/* broadcast.c */
enum code_request { DROP_LINE, DROP_PAGE, TRACK_PAGE };
void broadcast_service(struct core *core);
void broadcast_enter(struct core *core);
void broadcast_leave(struct core *core);
void broadcast_wait(struct core *core, unsigned spins);
void broadcast_code(struct core *core, uint64_t ram_offset, enum code_request request);
void slot_kick(struct slot *slot, int32_t why);

/* pages.c */
#define PAGES_OF_A_WORD 16u
bool pages_is_code(struct core *core, uint64_t page);
void pages_settle(struct core *core);
void pages_invalidate_line(void *env, const void *ri, uint64_t va);
void pages_invalidate_all(void *env, const void *ri, uint64_t value);

/* interface.c */
void interface_update(struct core *core);
bool interface_wants_maintenance(const struct core *core);
uint64_t interface_read(struct core *core, uint32_t reg);
bool interface_write(struct core *core, uint32_t reg, uint64_t value);
uint64_t gicv_read(void *uc, uint64_t offset, unsigned size, void *core);
void gicv_write(void *uc, uint64_t offset, unsigned size, uint64_t value, void *core);

/* identification.c */
int identification_define(struct core *core, int model);

/* registers.c */
void *register_find(struct core *core, uint32_t reg);
bool register_redefine(struct core *core, uint32_t reg, void *readfn, void *writefn);
void register_define(struct core *core, const char *name, uint32_t reg, int access, void *readfn, void *writefn);
int registers_define(struct core *core);
void registers_mark(void *env, const void *ri, uint64_t value);
void registers_initialise(struct core *core, uint64_t mpidr, uint64_t midr);
void registers_restart(struct core *core);
void *register_find(struct core *core, uint32_t reg);
bool register_redefine(struct core *core, uint32_t reg, void *readfn, void *writefn);
void register_define(struct core *core, const char *name, uint32_t reg, int access, void *readfn, void *writefn);
uint32_t register_encoding(const void *ri);
#define SYSREG(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

/* clock.c */
uint64_t host_now(void);
uint64_t clock_now(struct core *core);
uint64_t clock_seen(struct core *core);
uint64_t clock_alarm(struct core *core);
void clock_plan(struct core *core);
void clock_skip(struct core *core, uint64_t cycles);
void clock_block_start(struct core *core, unsigned instructions);

/* trace.c */
void trace_record(struct core *core, enum kind kind, uint32_t a, uint64_t b, uint64_t c);
int trace_cut(struct core *core);
static inline void trace(struct core *core, enum kind kind, uint32_t a, uint64_t b, uint64_t c) {
    if (core->records) trace_record(core, kind, a, b, c);
}

/* timer.c */
uint64_t timer_now(struct core *core);
uint64_t timer_cycle(struct core *core, uint64_t cval);
bool timer_armed(const struct timer *timer);
bool timer_due(struct core *core);
int64_t timer_deadline(struct core *core);
void timer_deactivate(struct core *core, uint32_t intid);
uint64_t timer_count(void *env, const void *ri);
uint64_t timer_read_register(unsigned which, unsigned which_register);
void timer_write_register(unsigned which, unsigned which_register, uint64_t value);
uint64_t timer_read(void *env, const void *ri);
void timer_write(void *env, const void *ri, uint64_t value);

/* events.c */
void event_note(struct core *core, enum exit_reason reason, uint32_t intid, uint64_t value);
void event_note_timers(struct core *core);
bool event_waiting(const struct core *core);
enum exit_reason event_next(struct core *core);
void event_forget(struct core *core);
enum exit_reason event_in_order(struct core *core, enum exit_reason asked);
enum exit_reason event_pending(struct core *core);

/* pmu.c */
int pmu_define(struct core *core);
uint64_t pmu_read(void *env, const void *ri);
void pmu_write(void *env, const void *ri, uint64_t value);
uint64_t pmu_read_cycles(void *env, const void *ri);
void pmu_write_cycles(void *env, const void *ri, uint64_t value);
void pmu_stop(struct core *core);

/* pl011.c */
size_t uart_state_size(void);
int uart_attach(struct core *core, uint64_t ipa, struct uart_state *state, uint32_t intid, bool console);
size_t uart_input(struct uart *uart, const uint8_t *data, size_t length);
bool uart_break(struct uart *uart);
void uart_flush(struct uart *uart);

/* confined.c */
PyObject *tell_refused_calls(PyObject *module, PyObject *arguments);

/* construct.c: methods of the Python type */
int core_init(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *core_map_ram(PyObject *self, PyObject *args);
PyObject *core_map_pl011(PyObject *self, PyObject *args);
PyObject *core_map_gicv(PyObject *self, PyObject *args);
PyObject *core_map_unassigned(PyObject *self, PyObject *args);
PyObject *core_emulate(PyObject *self, PyObject *args);

/* examine.c: methods of the Python type */
PyObject *core_state(PyObject *self, PyObject *unused);
PyObject *core_timers(PyObject *self, PyObject *unused);
PyObject *core_take_storm(PyObject *self, PyObject *unused);

/* run.c */
int core_run(struct core *core, int64_t budget);
int core_run_until(struct core *core, uint64_t limit);
void core_leave(struct core *core, enum exit_reason reason);
void core_settle(struct core *core, uintptr_t from);
uint64_t core_retired(struct core *core);
void core_interrupt_hook(void *uc, uint32_t intno, void *user);
extern const size_t uart_out_capacity;

/* decode.c */
void decode_begin(void *tb);
void decode_end(void);

/* count.c */
void count_give_back(struct core *core, uintptr_t from);
bool cpu_restore_state_aarch64(void *cpu, uintptr_t from, bool will_exit);

/* aarch32.c */
int aarch32_define(struct core *core);
bool aarch32_state(struct core *core);
uint64_t aarch32_pstate(struct core *core);
void aarch32_expose(struct core *core);
void aarch32_adopt(struct core *core);
/* storm.c */
#define FLUSH_STRAIN 2 /* a TLB that is emptied costs the host as much as so many exceptions */
#define MAINTENANCE_STRAIN 1 /* a page of one, or a line of translated code */
void core_strain(struct core *core, unsigned exceptions);
void core_exception_taken(struct core *core);
bool core_storm(struct core *core, uint64_t *taken, uint64_t *instructions, bool *interrupts);
void core_forget_exceptions(struct core *core);

#endif
