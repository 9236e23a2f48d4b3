/* Making a core: the CPU in the library, and what its VM has at which address. */
#include "construct.h"

#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>
#include <unicorn/unicorn.h>

#include "architecture.h"
#include "clock.h"
#include "code_map.h"
#include "common_blocks.h"
#include "ownership.h"
#include "regions.h"
#include "uart_kinds.h"

static int fail(int error, const char *what) {
    PyErr_Format(PyExc_RuntimeError, "unicorn: %s: %s", what, unicorn.strerror(error));
    return -1;
}

/* Memory of a Python buffer, which stays exported as long as the core lives. */
static uint8_t *memory(struct core *core, PyObject *object, size_t offset, size_t size) {
    PyObject *view = PyMemoryView_FromObject(object);
    if (!view) return NULL;
    Py_buffer *buffer = PyMemoryView_GET_BUFFER(view);
    if (buffer->readonly || offset > (size_t)buffer->len || size > (size_t)buffer->len - offset) {
        PyErr_SetString(PyExc_ValueError, "the buffer is read-only or too small");
        Py_DECREF(view);
        return NULL;
    }
    int error = PyList_Append(core->buffers, view);
    Py_DECREF(view);
    return error ? NULL : (uint8_t *)buffer->buf + offset;
}

/*
 * What the library takes when it makes a CPU: its code buffer (translate-all.c: DEFAULT_CODE_GEN_BUFFER_SIZE), and its TLBs
 * and tables, generously. It ends the process when it does not get that, so somebody else has to ask first.
 */
#define CODE_BUFFER ((size_t)1 << 30)
#define OF_A_CPU (CODE_BUFFER + ((size_t)32 << 20))

static int has_memory(void) {
    void *all = mmap(NULL, OF_A_CPU, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) {
        PyErr_Format(PyExc_MemoryError, "a CPU needs %zu MiB of address space", OF_A_CPU >> 20);
        return 0;
    }
    munmap(all, OF_A_CPU);
    return 1;
}

/* A CPU of this model, in the library. NULL with a Python error. */
static void *make_cpu(int model) {
    if (!has_memory()) return NULL;
    void *uc = NULL;
    const char *what = "open";
    uint64_t pc = 0; /* the first register access creates the CPU */
    int error = unicorn.open(ARCH_UNICORN, &uc);
    if (!error) what = "CPU model", error = unicorn.ctl(uc, UC_CTL_WRITE(UC_CTL_CPU_MODEL, 1), model);
    if (!error) what = "exits", error = unicorn.ctl(uc, UC_CTL_WRITE(UC_CTL_UC_USE_EXITS, 1), 1);
    if (!error) what = "configure the CPU", error = arch_configure(uc);
    if (!error) what = "create the CPU", error = unicorn.reg_write(uc, ARCH_UNICORN_PC, &pc);
    if (!error) return uc;
    fail(error, what);
    if (uc) unicorn.close(uc);
    return NULL;
}

/* What processes have that are forked from the one that made it: the first core of this model in each takes it. */
static struct {
    void *uc;
    int model;
    pid_t maker;
} ahead;

int core_make_ahead(int model) {
    if (ahead.uc && ahead.model == model && ahead.maker == getpid()) return 0;
    void *uc = make_cpu(model);
    if (!uc) return -1;
    if (ahead.uc) unicorn.close(ahead.uc);
    ahead.uc = uc, ahead.model = model, ahead.maker = getpid();
    return 0;
}

static void *take_cpu(int model) {
    if (!ahead.uc || ahead.model != model || ahead.maker == getpid()) return make_cpu(model);
    void *uc = ahead.uc;
    ahead.uc = NULL;
    return uc;
}

static int open_uc(struct core *core) {
    if (!(core->uc = take_cpu(core->cpu_model))) return -1;
    core->cpu = FIELD(void *, core->uc, UC_CPU);
    core->env = (uint8_t *)core->cpu + CPU_ENV;
    if (FIELD(void *, core->cpu, CS_ENV_PTR) != core->env || FIELD(void *, core->cpu, CS_UC) != core->uc ||
        FIELD(void *, core->env, ENV_UC) != core->uc ||
        FIELD(uint32_t, core->cpu, CS_CFLAGS_NEXT_TB) != UINT32_MAX ||
        FIELD(int64_t, core->cpu, CPU_TLB_VICTIMS + TLB_WINDOW_BEGIN) < 1000000000000000000) { /* now, in nanoseconds */
        PyErr_SetString(PyExc_ImportError, "libunicorn.so.2 is laid out in another way: install unicorn==2.1.4");
        return -1;
    }
    FIELD(uint8_t, core->cpu, CS_CREATED) = 1;
    size_t hook;
    int error = unicorn.hook_add(core->uc, &hook, UC_HOOK_INTR, arch_interrupt_hook, core, 1, 0);
    return error ? fail(error, "interrupt hook") : 0;
}

static int save_pristine(struct core *core) {
    int error = unicorn.context_alloc(core->uc, &core->pristine);
    if (!error) error = unicorn.context_save(core->uc, core->pristine);
    return error ? fail(error, "save the reset state") : 0;
}

/* In cycles: of the exits by their numbers, of an emulated access. */
static int costs_from(struct core *core, PyObject *costs) {
    if (PyTuple_GET_SIZE(costs) != COSTS) {
        PyErr_Format(PyExc_ValueError, "%d costs", COSTS);
        return -1;
    }
    for (int i = 0; i < COSTS; i++) core->costs[i] = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(costs, i));
    return PyErr_Occurred() ? -1 : 0;
}

/* The keywords of `names` out of `keywords`, into a dictionary of their own. NULL with a Python error. */
static PyObject *take(PyObject *keywords, char *const *names) {
    PyObject *taken = PyDict_New();
    for (; taken && *names; names++) {
        PyObject *value = PyDict_GetItemString(keywords, *names);
        if (value && (PyDict_SetItemString(taken, *names, value) || PyDict_DelItemString(keywords, *names))) Py_CLEAR(taken);
    }
    return taken;
}

static int initialise(struct core *core, PyObject *args, PyObject *keywords) {
    static char *names[] = {"frequency", "epoch", "slots", "index", "siblings", "code_map", "hz", "costs", "records", "ledger", "translations", NULL};
    unsigned long long frequency, epoch;
    PyObject *slots, *siblings, *code_map, *costs = NULL, *ledger = Py_None, *translations = Py_None;
    unsigned long long hz = 0;
    int records = 0;
    PyObject *shared = take(keywords, names);
    if (!shared) return -1;
    int parsed = PyArg_ParseTupleAndKeywords(args, shared, "KKOIO!O|$KO!pOO", names, &frequency, &epoch, &slots,
                                             &core->index, &PyTuple_Type, &siblings, &code_map, &hz, &PyTuple_Type,
                                             &costs, &records, &ledger, &translations);
    Py_DECREF(shared); /* the caller has all that is in it */
    if (!parsed || arch_init(core, keywords)) return -1;
    if (!frequency) {
        PyErr_SetString(PyExc_ValueError, "a frequency of 0");
        return -1;
    }
    core->buffers = PyList_New(0);
    if (!core->buffers) return -1;
    core->slots = (struct slot *)memory(core, slots, 0, (core->index + 1) * sizeof(struct slot));
    if (!core->slots) return -1;
    core->slot = &core->slots[core->index];
    core->map_words = (size_t)PyObject_Length(code_map) / sizeof *core->code_map;
    core->code_map = (_Atomic uint64_t *)memory(core, code_map, 0, core->map_words * sizeof *core->code_map);
    if (!core->code_map) return -1;
    if (PyTuple_GET_SIZE(siblings) > MAX_SIBLINGS) {
        PyErr_Format(PyExc_ValueError, "a VM has at most %d vCPUs", MAX_SIBLINGS + 1);
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(siblings); i++) {
        unsigned long sibling = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(siblings, i));
        if (PyErr_Occurred()) return -1;
        if (!memory(core, slots, sibling * sizeof(struct slot), sizeof(struct slot))) return -1;
        if (sibling != core->index) core->siblings[core->sibling_count++] = (uint16_t)sibling;
    }
    if (ledger != Py_None) {
        size_t size = sizeof(struct ledger) + (core->index + 1) * sizeof(struct lane);
        struct ledger *found = (struct ledger *)memory(core, ledger, 0, size);
        if (!found) return -1;
        *(hz ? &core->ledger : &core->residence) = found;
        core->lanes = (unsigned)(((size_t)PyObject_Length(ledger) - sizeof(struct ledger)) / sizeof(struct lane));
        core->walks = 1;
        ownership_forget(core);
    }
    core->state.version = STATE_VERSION;
    core->process = (uint32_t)getpid();
    core->hz = hz;
    core->pace = clock_pace(1, 1);
    if (costs && costs_from(core, costs)) return -1;
    if (records && !(core->records = PyMem_Calloc(TRACE_RECORDS, sizeof(struct record)))) {
        PyErr_NoMemory();
        return -1;
    }
    core->frequency = frequency;
    core->ratio = clock_ratio(frequency, hz);
    core->epoch = epoch;
    core->tick_multiplier = (uint64_t)(((unsigned __int128)frequency << 32) / 1000000000u);
    core->scratch.reason = core->state.deferred = EXIT_NONE;
    if (open_uc(core)) return -1;
    if (arch_define(core)) return -1;
    if (translations != Py_None) {
        size_t size = (size_t)PyObject_Length(translations);
        uint8_t *common = memory(core, translations, 0, size);
        if (!common || common_blocks_join(core, common, size)) return -1;
    }
    return save_pristine(core);
}

int core_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    struct core *core = (struct core *)self;
    if (core->uc) {
        PyErr_SetString(PyExc_RuntimeError, "a Core is initialised once");
        return -1;
    }
    PyObject *keywords = kwargs ? PyDict_Copy(kwargs) : PyDict_New();
    int error = keywords ? initialise(core, args, keywords) : -1;
    Py_XDECREF(keywords);
    return error;
}

PyObject *core_map_ram(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    unsigned long long ipa, size, offset;
    int foreign = 0;
    PyObject *buffer;
    if (!PyArg_ParseTuple(args, "KKOK|p", &ipa, &size, &buffer, &offset, &foreign)) return NULL;
    struct region *region = region_new(core, ipa, size);
    if (!region || !(region->host = memory(core, buffer, offset, size))) return NULL;
    int error = unicorn.mem_map_ptr(core->uc, ipa, size, UC_PROT_ALL, region->host);
    if (error) {
        fail(error, "map RAM");
        return NULL;
    }
    region->foreign = foreign;
    region->ram_offset = core->ram_end;
    core->ram_end += size;
    core->region_count++;
    if (core->ram_end / PAGE_SIZE > core->map_words * PAGES_OF_A_WORD) {
        PyErr_SetString(PyExc_ValueError, "code_map is smaller than 8 bytes for 16 pages of the mapped RAM");
        return NULL;
    }
    Py_RETURN_NONE;
}

PyObject *core_map_uart(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    unsigned long long ipa, offset;
    unsigned interrupt;
    int console = 0;
    const char *name;
    PyObject *buffer;
    if (!PyArg_ParseTuple(args, "sKOKI|p", &name, &ipa, &buffer, &offset, &interrupt, &console)) return NULL;
    const struct uart_kind *kind = uart_kind(name);
    if (!kind) return PyErr_Format(PyExc_ValueError, "there is no UART of kind '%s'", name);
    if (!region_new(core, ipa, PAGE_SIZE)) return NULL;
    void *state = memory(core, buffer, offset, sizeof(struct uart_state));
    if (!state || !uart_attach(core, kind, ipa, state, interrupt, console)) return NULL;
    core->region_count++;
    return PyLong_FromUnsignedLong(core->uart_count - 1);
}

/* Of what was mapped last: the owners of its pages, which are those of a segment from its first on. */
PyObject *core_own(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    unsigned short segment;
    PyObject *buffer;
    if (!PyArg_ParseTuple(args, "OH", &buffer, &segment)) return NULL;
    struct region *region = core->region_count ? &core->regions[core->region_count - 1] : NULL;
    if (!(core->ledger || core->residence) || !region || region->owners) {
        PyErr_SetString(PyExc_ValueError, "pages have owners where something is mapped and there is a ledger, once");
        return NULL;
    }
    uint64_t pages = region->size / PAGE_SIZE;
    struct ownership *owners = (struct ownership *)memory(core, buffer, 0, pages * sizeof *owners);
    if (!owners) return NULL;
    if (!region->host) { /* a device, of which others can reach the registers */
        struct uart *uart = core->uarts[core->uart_count - 1];
        uart->owner = owners;
        uart->segment = segment;
        Py_RETURN_NONE;
    }
    if (!(region->cached = PyMem_Calloc(pages, sizeof *region->cached))) return PyErr_NoMemory();
    region->owners = owners;
    region->segment = segment;
    Py_RETURN_NONE;
}

/* A device's window, after what answers in it. */
PyObject *core_map_unassigned(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    unsigned long long ipa, size;
    if (!PyArg_ParseTuple(args, "KK", &ipa, &size)) return NULL;
    struct region *region = region_new(core, ipa, size);
    if (!region) return NULL;
    region->unassigned = true;
    core->region_count++;
    Py_RETURN_NONE;
}

PyObject *core_emulate(PyObject *self, PyObject *args) {
    struct core *core = (struct core *)self;
    PyObject *windows, *read, *write, *outbox;
    if (!PyArg_ParseTuple(args, "O!OOO!", &PyTuple_Type, &windows, &read, &write, &PyList_Type, &outbox)) return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(windows);
    struct window *made = PyMem_Calloc((size_t)count, sizeof(*made));
    if (!made) return PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < count; i++) {
        unsigned long long base, size;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(windows, i), "KK", &base, &size)) {
            PyMem_Free(made);
            return NULL;
        }
        made[i] = (struct window){base, size};
    }
    PyMem_Free(core->windows);
    core->windows = made;
    core->window_count = (unsigned)count;
    Py_XSETREF(core->read_emulated, Py_NewRef(read));
    Py_XSETREF(core->write_emulated, Py_NewRef(write));
    Py_XSETREF(core->outbox, Py_NewRef(outbox));
    Py_RETURN_NONE;
}

bool parse_answer(struct answer *answer, PyObject *one) {
    PyObject *conditions, *results;
    if (!PyTuple_Check(one) || !PyArg_ParseTuple(one, "O!O", &PyTuple_Type, &conditions, &results)) return false;
    answer->asks = results == Py_None;
    if (!answer->asks && !PyTuple_Check(results)) return false;
    answer->conditions = (unsigned)PyTuple_GET_SIZE(conditions);
    answer->results = answer->asks ? 0 : (unsigned)PyTuple_GET_SIZE(results);
    if (answer->conditions > ANSWER_CONDITIONS || answer->results > ANSWER_RESULTS) return false;
    for (unsigned i = 0; i < answer->conditions; i++) {
        unsigned long long mask, value;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(conditions, i), "IKK", &answer->condition[i].number, &mask, &value)) return false;
        answer->condition[i].mask = mask, answer->condition[i].value = value;
        if (answer->condition[i].number >= ARCH_REGISTERS) return false;
    }
    for (unsigned i = 0; i < answer->results; i++) {
        unsigned long long value;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(results, i), "IK", &answer->result[i].number, &value)) return false;
        answer->result[i].value = value;
        if (answer->result[i].number >= ARCH_REGISTERS) return false;
    }
    return true;
}

/* A tuple of (conditions, results), as baonet.hyp.answers has them. */
PyObject *core_answer(PyObject *self, PyObject *given) {
    struct core *core = (struct core *)self;
    Py_ssize_t count = PyTuple_Check(given) ? PyTuple_GET_SIZE(given) : 0;
    struct answers *made = PyMem_Calloc(1, sizeof *made + (size_t)count * sizeof *made->answers);
    if (!made) return PyErr_NoMemory();
    for (; made->count < (unsigned)count; made->count++) {
        if (parse_answer(&made->answers[made->count], PyTuple_GET_ITEM(given, made->count))) continue;
        PyMem_Free(made);
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "no answers: another number of conditions, results or registers");
        return NULL;
    }
    PyMem_Free(core->answers);
    core->answers = made;
    Py_RETURN_NONE;
}
