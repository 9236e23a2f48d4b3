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
 *   type.c       the Python type
 *   module.c     the Python module
 *
 * library.h is what is known of the library, core.h what there is of one CPU; here is what the files offer each other.
 */
#ifndef BAONET_ENGINE_H
#define BAONET_ENGINE_H

#include "core.h"

#define EXPORT __attribute__((visibility("default")))
#define unlikely(x) __builtin_expect(!!(x), 0)

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
void uart_examine(const struct uart *uart, uint32_t *ris, uint32_t *imsc, uint64_t *waiting);

/* type.c */
extern PyTypeObject core_type;

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
PyObject *core_uarts(PyObject *self, PyObject *unused);
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
