/*
 * The memory system: first-level caches, TLBs and walk caches of each pcpu, the second-level cache and the memory channel of
 * a cluster, in time that is counted in cycles of the core's clock.
 *
 * Pure: no engine, no Python (but for the names of parameters, in its dictionaries), no clock of the host, no allocation. All
 * state is plain bytes without a pointer, in memory that the caller gives (the sizes are asked for), so it can be shared, copied,
 * saved and loaded as it is.
 *
 * One pcpu at a time uses its own `struct memsys`, its replica of the second level and its log; the cluster is touched only
 * while all of its pcpus stand, but for what coherence.h says. Who uses it includes this header alone. The layers of the files
 * are these, the lowest last (tests/core/test_layers.py reads the table):
 *
 *   face       memsys
 *              all that there is
 *   names      named
 *              parameters as Python names them
 *   calls      accesses alone check cluster_state coherence hits maintenance merge plausible request translation weave
 *              what pcpus do, what is asked of the second level, what becomes of it at a window's edge, and in shared memory
 *   parts      answer channel filters inside l1 l2 prefetch tlb_sets
 *              caches, sets of translations, the channel, the prefetcher
 *   offers     counters hierarchy parameters window
 *              parameters: what can be chosen. counters: what is counted. hierarchy: one pcpu. window: the cluster
 */
#ifndef BAONET_MEMSYS_H
#define BAONET_MEMSYS_H

#include "counters.h"
#include "hierarchy.h"
#include "named.h"
#include "parameters.h"
#include "weave.h"
#include "window.h"

#endif
