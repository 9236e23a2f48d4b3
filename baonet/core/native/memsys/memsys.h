/*
 * The memory system: first-level caches, TLBs and walk caches of each pcpu, the second-level cache and the memory channel of
 * a cluster, in time that is counted in cycles of the core's clock.
 *
 * Pure: no engine, no Python, no clock of the host, no allocation. All state is plain bytes without a pointer, in memory that
 * the caller gives (the sizes are asked for), so it can be shared, copied, saved and loaded as it is.
 *
 *   parameters.h   what can be chosen, and what is wrong with a choice
 *   counters.h     what is counted
 *   window.h       the cluster: the second level, logs, what becomes of them at a window's edge
 *   hierarchy.h    one pcpu: accesses, fetches, translation, maintenance
 *
 * One pcpu at a time uses its own `struct memsys`, its replica of the second level and its log; the cluster is touched only
 * while all of its pcpus stand.
 */
#ifndef BAONET_MEMSYS_H
#define BAONET_MEMSYS_H

#include "counters.h"
#include "hierarchy.h"
#include "parameters.h"
#include "window.h"

#endif
