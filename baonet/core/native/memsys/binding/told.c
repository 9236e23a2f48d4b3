#include <stddef.h>

#include "memsys_types.h"

static const struct {
    const char *name;
    size_t offset;
} parameter_fields[] = {
#define MEMSYS_FIELD(name, value) {#name, offsetof(struct memsys_parameters, name)},
    MEMSYS_PARAMETERS(MEMSYS_FIELD)
#undef MEMSYS_FIELD
}, counter_fields[] = {
#define MEMSYS_FIELD(name) {#name, offsetof(struct memsys_counters, name)},
    MEMSYS_COUNTERS(MEMSYS_FIELD)
#undef MEMSYS_FIELD
}, owner_fields[] = {
#define MEMSYS_FIELD(name) {#name, offsetof(struct memsys_owner_counters, name)},
    MEMSYS_OWNER_COUNTERS(MEMSYS_FIELD)
#undef MEMSYS_FIELD
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const causes[MEMSYS_CAUSES] = {
    [MEMSYS_STALL_FETCH] = "stall_fetch",
    [MEMSYS_STALL_DATA] = "stall_data",
    [MEMSYS_STALL_STORE] = "stall_store",
    [MEMSYS_STALL_DRAM] = "stall_dram",
    [MEMSYS_STALL_WAIT] = "stall_wait",
    [MEMSYS_STALL_TRANSLATION] = "stall_translation",
    [MEMSYS_STALL_DEVICE] = "stall_device",
    [MEMSYS_STALL_COHERENCE] = "stall_coherence",
    [MEMSYS_STALL_MAINTENANCE] = "stall_maintenance",
    [MEMSYS_STALL_CORRECTION] = "stall_correction",
};

static bool add(PyObject *told, const char *name, uint64_t value) {
    PyObject *number = PyLong_FromUnsignedLongLong(value);
    bool added = number && !PyDict_SetItemString(told, name, number);
    Py_XDECREF(number);
    return added;
}

PyObject *parameters_told(const struct memsys_parameters *parameters) {
    PyObject *told = PyDict_New();
    for (size_t i = 0; told && i < COUNT(parameter_fields); i++)
        if (!add(told, parameter_fields[i].name, *(const uint32_t *)((const char *)parameters + parameter_fields[i].offset)))
            Py_CLEAR(told);
    return told;
}

PyObject *counters_told(const struct memsys_counters *counters) {
    PyObject *told = PyDict_New();
    for (size_t i = 0; told && i < COUNT(counter_fields); i++)
        if (!add(told, counter_fields[i].name, *(const uint64_t *)((const char *)counters + counter_fields[i].offset)))
            Py_CLEAR(told);
    for (size_t i = 0; told && i < MEMSYS_CAUSES; i++)
        if (!add(told, causes[i], counters->stalls[i])) Py_CLEAR(told);
    return told;
}

PyObject *owner_counters_told(const struct memsys_owner_counters *counters) {
    PyObject *told = PyDict_New();
    for (size_t i = 0; told && i < COUNT(owner_fields); i++)
        if (!add(told, owner_fields[i].name, *(const uint64_t *)((const char *)counters + owner_fields[i].offset)))
            Py_CLEAR(told);
    return told;
}
