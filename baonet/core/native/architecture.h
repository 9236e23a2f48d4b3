/*
 * What an architecture brings to the shared files, which are compiled once for each.
 *
 * Its arch.h has, and includes no header outside its own directory:
 *
 *   ARCH_NAME                 of its directory here, and of its package in baonet.core
 *   ARCH(function)            the name of a function of the library with the architecture's suffix; ARCH_SUFFIX, as a string
 *   ARCH_UNICORN              what uc_open takes; ARCH_UNICORN_PC, the PC for uc_reg_write
 *   ENV_PC, ENV_REGISTERS     offsets in the library's CPU: of the PC, of the general registers, of which it has
 *                             ARCH_REGISTERS that count
 *   ENV_KEPT, ENV_UC          bytes at the beginning of the library's CPU that are all of it that a guest can change, and have
 *                             no pointer; where its pointer to the library's instance is, behind them
 *   CPU_ENV, CPU_TLB_FAST, CPU_TLB_VICTIMS, TLB_WINDOW_BEGIN
 *                             offsets in the library's CPU that follow from how many MMU indexes there are
 *   ARCH_MMU_INDEXES          of which the first are a VM's
 *   ARCH_PAGE_BITS_MIN        TARGET_PAGE_BITS_MIN, from which the flags of a TLB's entry follow
 *   INSN_START_WORDS          words of each instruction in a block's table
 *   ARCH_OBSERVED_LOAD, _STORE, _OTHER and _BLOCK
 *                             helpers of the library's for instructions that its CPUs lack here: of two words of 64 bits and
 *                             one of 32, touching no register of the guest (observe.c)
 *   ARCH_INTERRUPT_INPUTS     the bits of the CPU's interrupt_request that a virtual interrupt sets
 *   enum exit_reason          why run() returned: EXIT_NONE, -1; EXIT_WFI, _BUDGET and _KICKED, as baonet.hyp.cpu.Stay has
 *                             them; its own, among them EXIT_INTERRUPT (a timer of the CPU, to be told the hypervisor),
 *                             EXIT_LINE (of a device) and EXIT_FAULT (the guest cannot go on); EXIT_ERROR, the last
 *   EXIT_NUMBER, EXIT_VALUE   indexes in state.exit, of which there are EXIT_FIELDS: the interrupt, and what goes with it
 *   struct arch_state, arch_scratch, arch_wiring, arch_iteration
 *                             its part of state.h, of struct scratch, of struct core and of polling.h's; ARCH_STATE_VERSION
 *
 * and in files of its own it has what is declared here.
 */
#ifndef BAONET_ARCHITECTURE_H
#define BAONET_ARCHITECTURE_H

#include "core.h"
#include "memsys.h"

/* Making a core. The keywords that are the architecture's into core->arch, and core->cpu_model; -1 with a Python error. */
int arch_init(struct core *core, PyObject *keywords);

/* Of a library's instance that has no CPU yet; an error of the library's, 0: none. */
int arch_configure(void *uc);

/* Of the CPU, which is there: what it has at reset. -1 with a Python error. */
int arch_define(struct core *core);

/* The CPU is as it was made: the rest of the entry state. And that of a CPU that was on before. */
void arch_reset(struct core *core, uint64_t entry, uint64_t context);
void arch_restart(struct core *core, uint64_t entry, uint64_t context);

/*
 * Whether a guest of this core can have come to what is to be loaded, as far as the library or this would not bear another:
 * `state`, and ENV_KEPT bytes of the library's CPU.
 */
bool arch_plausible(struct core *core, const struct arch_state *state, const void *cpu);

/* What is kept of the library's CPU, ENV_KEPT bytes, without what it has from the host's clock and no guest sees. */
void arch_forget_host(void *cpu);

/*
 * After the registers of the library's CPU have been replaced: what the library, or this, has made of them elsewhere. Its TLBs
 * and translations are gone.
 */
void arch_renew(struct core *core);

/* The return address of the load or store that the library is at, if it has missed the TLB. */
uintptr_t arch_access(struct core *core);

/* A load or store that a device is asked for, and nothing answers: as a CPU hears of it. Does not return. */
void arch_unanswered(struct core *core, int access);

/*
 * The guest is left at the instruction that has this access, which it may not have yet; its state is restored. And it goes on
 * with it: what the instruction has done already is not to be done again.
 */
void arch_refused(struct core *core, uintptr_t from);
void arch_resume(struct core *core);

/*
 * A stay. Drives the CPU's interrupt inputs, after the hypervisor may have changed anything. They are to be seen, but none is to
 * be taken, while rest_comes().
 */
void arch_update(struct core *core);

/* Before the guest is entered, and when it is left: its registers from where the hypervisor sees them, and to there. */
void arch_adopt(struct core *core);
void arch_expose(struct core *core);

/* UC_HOOK_INTR: every exception but interrupts. */
void arch_interrupt_hook(void *uc, uint32_t number, void *core);

/* After core_leave(): the PC where the exit says. */
void arch_left(struct core *core, enum exit_reason reason);

/* The library has stopped with an error of its own: what EXIT_FAULT is to say. */
void arch_failed(struct core *core, int error);

/* What a record of the exit tells besides the PC. */
uint64_t arch_detail(struct core *core, enum exit_reason reason);

/* Whether it is for a call, and by how much the PC is before where the guest goes on. */
bool arch_calls(enum exit_reason reason, unsigned *length);

/*
 * What the hypervisor would do for an interrupt, where its wing says so (errands.h), behind that it is raised; true: until the guest has
 * ended it, the hypervisor knows of it. And whether the guest was left for that end, and nothing else is to be done: then it is gone.
 */
bool arch_list(struct core *core, unsigned interrupt, unsigned place, uint64_t value);
bool arch_ends(struct core *core, enum exit_reason reason, unsigned place);

/*
 * While the hypervisor's state is lent: an access to what it emulates that is of such an interrupt, from which the guest learns which
 * it is, or by which it ends it. False: it is not only that, and nothing has been done.
 */
bool arch_loads_lent(struct core *core, uint64_t ipa, unsigned size, uint64_t *value);
bool arch_stores_lent(struct core *core, uint64_t ipa, unsigned size, uint64_t value);

/* Time. In virtual time, the cycle at which the next timer interrupt is due, all ones: none is armed. */
uint64_t arch_alarm(struct core *core);

/* Nanoseconds until then, -1: none is armed; and whether one has come. */
int64_t arch_deadline(struct core *core);
bool arch_due(struct core *core);

/* A timer that has fired and whose interrupt is the hypervisor's to hear of, once each; false: none. */
bool arch_fired(struct core *core, uint32_t *interrupt, uint64_t *due);

/* Whether an event that has waited is still to be told. */
bool arch_wants(struct core *core, const struct event *event);

/* Around the translation of a block (TranslationBlock). */
void arch_block_begin(void *tb);
void arch_block_end(void);

/*
 * Whether the library makes the same host code for CPUs of the same model that are wired so; and whether a function that code calls is
 * given something of its own core's that is at another address in others.
 */
bool arch_translates_alike(const struct arch_wiring *one, const struct arch_wiring *other);
bool arch_calls_own(const void *function);

/*
 * The code of an instruction asks for something by a number (translate.c), which is less than any address of the
 * host's; at the instruction whose host code returns to `from`.
 */
#define ASKED_END (1u << 20)
void arch_asked(struct core *core, uintptr_t number, uintptr_t from);

/* Where the code of a block at the PC, with these flags, that does not end with its page goes on, by the address of the next page. */
bool arch_goes_on(struct core *core, uint32_t flags, uint64_t next_page, uint64_t *ipa);

/* As an access at the guest's level of privilege would be translated (MMU_DATA_LOAD ...); false: it would fault. */
bool arch_translate(struct core *core, uint64_t va, int access, uint64_t *ipa);

/*
 * The model of the memory system (modelled.h). The core, which has not run yet, is to tell it what its code does and what its
 * registers say of translation and of caches; -1 with a Python error.
 */
int arch_observe(struct core *core);

/* Behind a call of a helper in translated code, with the temporaries that it is given: what that accesses. */
void arch_observe_call(void *tcg, const void *function, void *const *arguments);

/* By what addresses are translated, as memsys_set_context() takes it; an address without what translation ignores of it. */
uint32_t arch_space(const struct core *core);
uint64_t arch_untagged(const struct core *core, uint64_t va);

/* A walk of stage 1 for an address that the guest has accessed; false: there is no translation any more. It takes no page. */
bool arch_stage1(struct core *core, uint64_t va, struct memsys_walk *walk);

/*
 * Loops that wait for the counter (polling.h). The instruction at the PC, which reads it; and the next, which is to be followed
 * with what it would do in each iteration; false: that is not known. Whether what the architecture has beside registers and memory
 * carries nothing over to the next iteration; and to have it as at the end of the last.
 */
struct iteration;
bool arch_follow_counter(struct iteration *iteration);
bool arch_follow(struct iteration *iteration);
bool arch_followed(const struct iteration *iteration);
void arch_follow_end(const struct iteration *iteration);

/* A dictionary of registers for a report. NULL with a Python error. */
PyObject *arch_examine(struct core *core);

/* What the Python type has besides. The lists end with a name that is NULL. */
extern PyMethodDef arch_methods[];
extern PyGetSetDef arch_fields[];

#endif
