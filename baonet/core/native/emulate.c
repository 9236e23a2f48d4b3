/* The hypervisor's emulation of single loads and stores. */
#include "emulate.h"

#include "architecture.h"
#include "clock.h"
#include "events.h"
#include "leave.h"
#include "modelled.h"
#include "trace.h"

/* The hypervisor's work for an access costs the host as much as so many exceptions. */
#define ACCESS_STRAIN 8

#define ACCESS_WRITE 0x100u /* in a record */

/* The hypervisor hears of what happened first; then the guest is here again. */
static void tell_before(struct core *core) {
    event_note_timers(core);
    if (!event_waiting(core)) return;
    FIELD(int32_t, core->cpu, CS_EXCEPTION_INDEX) = EXCP_INTERRUPT;
    unicorn.loop_exit(core->cpu);
}

static void take_back(struct core *core) {
    if (!core->lent) return;
    PyObject *done = PyObject_CallNoArgs(core->take_back);
    if (!done) core_leave_here(core, EXIT_ERROR);
    Py_DECREF(done);
}

static bool store_by_hypervisor(struct core *core, uint64_t ipa, unsigned size, uint64_t value) {
    tell_before(core);
    if (core->lent && arch_stores_lent(core, ipa, size, value)) return true;
    take_back(core);
    PyObject *arguments[] = {PyLong_FromUnsignedLongLong(ipa), PyLong_FromLong(size), PyLong_FromUnsignedLongLong(value)};
    PyObject *result = PyObject_Vectorcall(core->write_emulated, arguments, 3, NULL);
    for (int i = 0; i < 3; i++) Py_DECREF(arguments[i]);
    if (!result) core_leave_here(core, EXIT_ERROR);
    bool done = result == Py_True;
    Py_DECREF(result);
    return done;
}

bool emulate_store(struct core *core, uint64_t ipa, unsigned size, uint64_t value) {
    if (size < 8) value &= (1ull << 8 * size) - 1;
    bool done = store_by_hypervisor(core, ipa, size, value);
    if (done) trace(core, TRACE_ACCESS, size | ACCESS_WRITE, ipa, value);
    return done;
}

void emulate_pass(struct core *core, uint64_t ipa, unsigned size, uint64_t value) { store_by_hypervisor(core, ipa, size, value); }

static bool load_by_hypervisor(struct core *core, uint64_t ipa, unsigned size, uint64_t *value) {
    tell_before(core);
    if (core->lent && arch_loads_lent(core, ipa, size, value)) return true;
    take_back(core);
    PyObject *arguments[] = {PyLong_FromUnsignedLongLong(ipa), PyLong_FromLong(size)};
    PyObject *result = PyObject_Vectorcall(core->read_emulated, arguments, 2, NULL);
    for (int i = 0; i < 2; i++) Py_DECREF(arguments[i]);
    if (!result) core_leave_here(core, EXIT_ERROR);
    bool done = result != Py_None;
    if (done) *value = PyLong_AsUnsignedLongLong(result);
    Py_DECREF(result);
    if (done && *value == UINT64_MAX && PyErr_Occurred()) core_leave_here(core, EXIT_ERROR);
    return done;
}

bool emulate_load(struct core *core, uint64_t ipa, unsigned size, uint64_t *value) {
    bool done = load_by_hypervisor(core, ipa, size, value);
    if (done) trace(core, TRACE_ACCESS, size, ipa, *value);
    return done;
}

void emulate_complete(struct core *core, unsigned length) {
    core->state.emulated_accesses++;
    emulate_retire(core, length, modelled_cost(core, COST_ACCESS));
}

void emulate_retire(struct core *core, unsigned length, uint64_t cost) {
    core_pc(core) += length;
    arch_adopt(core);
    core->slot->budget--;
    core_strain(core, ACCESS_STRAIN);
    clock_skip(core, cost);
    FIELD(int32_t, core->cpu, CS_EXCEPTION_INDEX) = -1;
    if (core->outbox && PyList_GET_SIZE(core->outbox)) core_leave(core, EXIT_KICKED);
    arch_update(core);
    unicorn.loop_exit(core->cpu);
}
