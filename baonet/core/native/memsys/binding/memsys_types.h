/* The Python types of _memsys: a pcpu's memory system with a replica and a log of its own, and a cluster. */
#ifndef BAONET_MEMSYS_TYPES_H
#define BAONET_MEMSYS_TYPES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

#include "l2.h"
#include "memsys.h"

extern PyTypeObject pcpu_type, cluster_type;

struct cluster_object {
    PyObject_HEAD
    struct memsys_parameters parameters;
    struct memsys_cluster *cluster;
    unsigned extents;
    struct memsys_channel channel; /* of pcpus that are interleaved exactly */
    struct memsys_moves *elsewhere[MEMSYS_PARTIES]; /* of pcpus that are parties of another cluster, and repeated here; NULL: not */
};
struct pcpu_object {
    PyObject_HEAD
    struct memsys_parameters parameters;
    struct memsys *memsys;
    struct memsys_l2 *l2;
    struct memsys_log *log;
    struct memsys_moves *moves;
    uint64_t window;
    struct memsys_view view;
    unsigned long long now;  /* at what time what is asked for is, where the view is asked for that */
    PyObject *walk, *stage2; /* functions, or None */
    PyObject *cluster;       /* whose second level is used as it is; NULL */
    PyObject *joined;        /* of which it is a party; NULL */
    struct memsys_outcome outcome;
};

PyObject *parameters_told(const struct memsys_parameters *parameters);
/* As the header's names have them. */
PyObject *counters_told(const struct memsys_counters *counters);
PyObject *owner_counters_told(const struct memsys_owner_counters *counters);

#endif
