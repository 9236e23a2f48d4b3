/* What architecture.h asks for, as little as goes. */
#include "architecture.h"

#include "leave.h"
#include "type.h"

#define ECALL 8 /* of any mode */

const struct symbol arch_symbols[] = {{NULL, NULL}};

int arch_init(struct core *core, PyObject *keywords) {
    static char *names[] = {"id", NULL};
    unsigned long long id;
    PyObject *nothing = PyTuple_New(0);
    int parsed = nothing && PyArg_ParseTupleAndKeywords(nothing, keywords, "K", names, &id);
    Py_XDECREF(nothing);
    core->arch.id = parsed ? id : 0;
    return parsed ? 0 : -1;
}

int arch_configure(void *uc) {
    (void)uc;
    return 0;
}

int arch_define(struct core *core) {
    (void)core;
    return 0;
}

void arch_reset(struct core *core, uint64_t entry, uint64_t context) {
    core->state.arch = (struct arch_state){0};
    arch_restart(core, entry, context);
}

void arch_restart(struct core *core, uint64_t entry, uint64_t context) {
    memset(core_x(core), 0, ARCH_REGISTERS * sizeof(uint64_t));
    core_x(core)[10] = core->arch.id;
    core_x(core)[11] = context;
    core_pc(core) = entry;
}

bool arch_plausible(struct core *core, const struct arch_state *state, const void *cpu) {
    (void)core, (void)state, (void)cpu;
    return true;
}
void arch_forget_host(void *cpu) { (void)cpu; }
void arch_renew(struct core *core) { (void)core; }

/* The library adds 4 to whatever the PC is then. */
void arch_interrupt_hook(void *uc, uint32_t number, void *user) {
    (void)uc;
    struct core *core = user;
    core->state.arch.calls += number == ECALL;
    core_leave(core, number == ECALL ? EXIT_CALL : EXIT_FAULT);
}

uintptr_t arch_access(struct core *core) {
    (void)core;
    return 0;
}

void arch_unanswered(struct core *core, int access) { (void)core, (void)access; }
void arch_refused(struct core *core, uintptr_t from) { (void)core, (void)from; }
void arch_resume(struct core *core) { (void)core; }

void arch_update(struct core *core) { (void)core; }
void arch_adopt(struct core *core) { (void)core; }
void arch_expose(struct core *core) { (void)core; }
void arch_left(struct core *core, enum exit_reason reason) { (void)core, (void)reason; }
void arch_failed(struct core *core, int error) { core->state.exit[EXIT_VALUE] = (uint64_t)error; }

uint64_t arch_detail(struct core *core, enum exit_reason reason) {
    (void)core, (void)reason;
    return 0;
}

bool arch_calls(enum exit_reason reason, unsigned *length) {
    *length = 0;
    return reason == EXIT_CALL;
}
bool arch_list(struct core *core, unsigned interrupt, unsigned place, uint64_t value) {
    (void)core, (void)interrupt, (void)place, (void)value;
    return false;
}
bool arch_ends(struct core *core, enum exit_reason reason, unsigned place) {
    (void)core, (void)reason, (void)place;
    return false;
}
bool arch_loads_lent(struct core *core, uint64_t ipa, unsigned size, uint64_t *value) {
    (void)core, (void)ipa, (void)size, (void)value;
    return false;
}
bool arch_stores_lent(struct core *core, uint64_t ipa, unsigned size, uint64_t value) {
    (void)core, (void)ipa, (void)size, (void)value;
    return false;
}

uint64_t arch_alarm(struct core *core) {
    (void)core;
    return UINT64_MAX;
}

int64_t arch_deadline(struct core *core) {
    (void)core;
    return -1;
}

bool arch_due(struct core *core) {
    (void)core;
    return false;
}

bool arch_fired(struct core *core, uint32_t *interrupt, uint64_t *due) {
    (void)core, (void)interrupt, (void)due;
    return false;
}

bool arch_wants(struct core *core, const struct event *event) {
    (void)core, (void)event;
    return true;
}

void arch_asked(struct core *core, uintptr_t number, uintptr_t from) { (void)core, (void)number, (void)from; }
bool arch_translates_alike(const struct arch_wiring *one, const struct arch_wiring *other) { return one->id == other->id; }
bool arch_calls_own(const void *function) { return !function; }
void arch_block_begin(void *tb) { (void)tb; }
void arch_block_end(void) {}

bool arch_goes_on(struct core *core, uint32_t flags, uint64_t next_page, uint64_t *ipa) {
    (void)core, (void)flags;
    *ipa = next_page;
    return true;
}

bool arch_translate(struct core *core, uint64_t va, int access, uint64_t *ipa) {
    (void)core, (void)access;
    *ipa = va;
    return true;
}

int arch_observe(struct core *core) {
    (void)core;
    PyErr_SetString(PyExc_NotImplementedError, "a toy has no model of its memory");
    return -1;
}

void arch_observe_call(void *tcg, const void *function, void *const *arguments) { (void)tcg, (void)function, (void)arguments; }

uint32_t arch_space(const struct core *core) {
    (void)core;
    return 0;
}

uint64_t arch_untagged(const struct core *core, uint64_t va) {
    (void)core;
    return va;
}

bool arch_stage1(struct core *core, uint64_t va, struct memsys_walk *walk) {
    (void)core, (void)va, (void)walk;
    return false;
}

bool arch_follow_counter(struct iteration *iteration) { /* its guests' code is not to be followed */
    (void)iteration;
    return false;
}
bool arch_follow(struct iteration *iteration) {
    (void)iteration;
    return false;
}
bool arch_followed(const struct iteration *iteration) {
    (void)iteration;
    return true;
}
void arch_follow_end(const struct iteration *iteration) { (void)iteration; }

PyObject *arch_examine(struct core *core) { return Py_BuildValue("{sK}", "calls", (unsigned long long)core->state.arch.calls); }

static PyObject *get_id(PyObject *self, void *unused) {
    (void)unused;
    return PyLong_FromUnsignedLongLong(((struct core *)self)->arch.id);
}

PyMethodDef arch_methods[] = {{NULL, NULL, 0, NULL}};
PyGetSetDef arch_fields[] = {{"id", get_id, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL, NULL}};
