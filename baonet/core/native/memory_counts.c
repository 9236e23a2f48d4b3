#include "memory_counts.h"

#include "clock.h"
#include "rounds.h"

struct missed_page {
    uint64_t address;
    uint32_t misses;
};

static const char *const causes[] = {
    [MEMSYS_STALL_FETCH] = "fetch",
    [MEMSYS_STALL_DATA] = "data",
    [MEMSYS_STALL_STORE] = "store",
    [MEMSYS_STALL_DRAM] = "dram",
    [MEMSYS_STALL_WAIT] = "wait",
    [MEMSYS_STALL_TRANSLATION] = "translation",
    [MEMSYS_STALL_DEVICE] = "device",
    [MEMSYS_STALL_COHERENCE] = "coherence",
    [MEMSYS_STALL_MAINTENANCE] = "maintenance",
    [MEMSYS_STALL_CORRECTION] = "correction",
};
_Static_assert(sizeof causes / sizeof *causes == MEMSYS_CAUSES, "each has a name");

/* False: a Python error is set. */
static bool put(PyObject *dict, const char *whose, const char *name, uint64_t count) {
    PyObject *key = PyUnicode_FromFormat("%s%s", whose, name), *value = PyLong_FromUnsignedLongLong(count);
    bool done = key && value && !PyDict_SetItem(dict, key, value);
    Py_XDECREF(key);
    Py_XDECREF(value);
    return done;
}

static bool put_counters(PyObject *dict, const char *whose, const struct memsys_counters *counters) {
    bool done = true;
#define PUT(name) done = done && put(dict, whose, #name, counters->name);
    MEMSYS_COUNTERS(PUT)
#undef PUT
    for (unsigned i = 0; done && i < MEMSYS_CAUSES; i++) {
        char name[32];
        snprintf(name, sizeof name, "stall_%s", causes[i]);
        done = put(dict, whose, name, counters->stalls[i]);
    }
    return done;
}

/* Who goes on no more takes no outcome, and its clock has it all the same. */
static void count_pending(const struct core *core, struct memsys_counters counters[2]) {
    const struct memsys_outcome *pending = core->weave ? memsys_weave_pending(core->weave, core->party) : NULL;
    if (pending) memsys_count_outcome(counters, pending);
}

PyObject *core_memory_counts(PyObject *self, PyObject *unused) {
    (void)unused;
    const struct core *core = (struct core *)self;
    const struct memsys *memsys = core->view.memsys;
    PyObject *dict = PyDict_New();
    if (!memsys || !dict) return dict;
    struct memsys_counters counters[2] = {memsys->counters[0], memsys->counters[1]};
    count_pending(core, counters);
    uint64_t cycles = clock_of_instructions(core, core_retired(core));
    for (unsigned i = 0; i < MEMSYS_CAUSES; i++) cycles += counters[0].stalls[i];
    if (!put(dict, "", "cycles", cycles) || !put_counters(dict, "", &counters[0]) ||
        !put_counters(dict, "hypervisor_", &counters[1]))
        Py_CLEAR(dict);
    return dict;
}

static PyObject *owner_counts(const struct memsys_owner_counters *counters) {
    PyObject *dict = PyDict_New();
    bool done = dict;
#define PUT(name) done = done && put(dict, "", #name, counters->name);
    MEMSYS_OWNER_COUNTERS(PUT)
#undef PUT
    if (!done) Py_CLEAR(dict);
    return dict;
}

/* Takes what it appends. */
static bool append(PyObject *list, PyObject *item) {
    bool done = list && item && !PyList_Append(list, item);
    Py_XDECREF(item);
    return done;
}

static PyObject *numbers(const uint64_t *counts, const unsigned *places, unsigned count) {
    PyObject *list = PyList_New(0);
    for (unsigned i = 0; list && i < count; i++)
        if (!append(list, PyLong_FromUnsignedLongLong(counts[places[i]]))) Py_CLEAR(list);
    return list;
}

#define PAGES 512u /* that are told */

/* Puts a page among those with more misses; of two with as many the lower is first. */
static void rank(struct missed_page *pages, unsigned *count, struct missed_page page) {
    unsigned place = *count < PAGES ? (*count)++ : PAGES;
    while (place && pages[place - 1].misses < page.misses) {
        if (place < PAGES) pages[place] = pages[place - 1];
        place--;
    }
    if (place < PAGES) pages[place] = page;
}

static PyObject *missed_pages(const struct memsys_weave *weave) {
    struct missed_page pages[PAGES];
    unsigned count = 0;
    for (unsigned i = 0; i < weave->shape.extent_count; i++) {
        const struct memsys_extent *extent = &weave->shape.extents[i];
        const uint32_t *misses = memsys_cluster_pages(weave->cluster, i);
        for (uint64_t page = 0; page < extent->size / PAGE_SIZE; page++)
            if (misses[page]) rank(pages, &count, (struct missed_page){extent->base + page * PAGE_SIZE, misses[page]});
    }
    PyObject *list = PyList_New(0);
    for (unsigned i = 0; list && i < count; i++)
        if (!append(list, Py_BuildValue("(KI)", (unsigned long long)pages[i].address, pages[i].misses))) Py_CLEAR(list);
    return list;
}

/* (counts by owner, who has driven out what whom missed, counts of the cluster, pages that were missed most) */
static PyObject *cluster_counts(const struct woven *woven) {
    const struct memsys_cluster_counters *counters = memsys_cluster_counters(woven->weave.cluster);
    unsigned places[MEMSYS_OWNERS + 1], count = 0, vms = 0;
    for (unsigned i = 0; i < woven->weave.shape.parties; i++)
        if (woven->parties[i] && woven->owners[i] >= vms) vms = woven->owners[i] + 1;
    while (count < vms) {
        places[count] = count;
        count++;
    }
    places[count++] = MEMSYS_HYPERVISOR;
    places[count] = MEMSYS_COLD;
    PyObject *owners = PyList_New(0), *missed = PyList_New(0), *whole = PyDict_New(), *pages = missed_pages(&woven->weave);
    bool done = owners && missed && whole && pages;
    for (unsigned i = 0; done && i < count; i++)
        done = append(owners, owner_counts(&counters->owner[places[i]])) &&
               append(missed, numbers(counters->missed[places[i]], places, count + 1));
    done = done && put(whole, "", "windows", counters->windows) && put(whole, "", "records", counters->records) &&
           put(whole, "", "busy", counters->busy);
    PyObject *found = done ? PyTuple_Pack(4, owners, missed, whole, pages) : NULL;
    Py_XDECREF(owners);
    Py_XDECREF(missed);
    Py_XDECREF(whole);
    Py_XDECREF(pages);
    return found;
}

PyObject *rounds_memory_counts(PyObject *self, PyObject *unused) {
    (void)unused;
    const struct rounds *rounds = (struct rounds *)self;
    PyObject *list = PyList_New(0);
    for (unsigned i = 0; list && i < rounds->woven_count; i++)
        if (!append(list, cluster_counts(&rounds->woven[i]))) Py_CLEAR(list);
    return list;
}
