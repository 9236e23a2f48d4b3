/*
 * What can be chosen of a memory system: sizes in bytes, the rest in entries, in lines or in cycles of the core's clock.
 * The values here are those of a Cortex-A53 with 1 MiB of second level (DDI 0500J); a machine file has its own.
 */
#ifndef BAONET_MEMSYS_PARAMETERS_H
#define BAONET_MEMSYS_PARAMETERS_H

#include <stdint.h>

#define MEMSYS_LINE_SHIFT 6 /* a line is 64 bytes in every core modelled */
#define MEMSYS_LINE (1u << MEMSYS_LINE_SHIFT)
#define MEMSYS_PAGE_SHIFT 12
#define MEMSYS_ADDRESS_BITS 40 /* of a physical address */

#define MEMSYS_PARAMETERS(X) \
    /* First-level caches: virtually indexed, physically tagged, pseudo-random (TRM 2.1). */ \
    X(l1i_size, 32768) \
    X(l1i_ways, 2) \
    X(l1d_size, 32768) \
    X(l1d_ways, 4) \
    /* The second level: physically indexed, pseudo-random, shared by the cluster (TRM 7.6). */ \
    X(l2_size, 1048576) \
    X(l2_ways, 16) \
    /* 1: data come into it when they leave a first-level cache, clean or dirty (TRM 7.6); 0: when they are fetched, too. */ \
    X(l2_on_eviction, 1) \
    /* Translation (TRM 5.1): entries of each micro-TLB, the main TLB, the walk cache, the IPA cache. */ \
    X(utlb_instruction, 10) \
    X(utlb_data, 10) \
    X(tlb_entries, 512) \
    X(tlb_ways, 4) \
    X(walk_cache_entries, 64) \
    X(walk_cache_ways, 4) \
    X(ipa_cache_entries, 64) \
    X(ipa_cache_ways, 4) \
    /* Cycles: a first-level miss that the second level has; of a store, which the store buffer hides. */ \
    X(l2_latency, 13) \
    X(l2_store, 0) \
    /* Cycles for which a line keeps the path between a core's L1D and the second level; 0: it is never busy. */ \
    X(l2_path, 10) \
    /* More cycles, of what the second level does not have, on an idle channel; of a store instead of all that. */ \
    X(dram_latency, 100) \
    X(dram_store, 20) \
    /* Cycles for which one line keeps the channel; 0: it is never busy. */ \
    X(dram_line, 22) \
    /* Lines that may be on their way before who writes one has to wait. */ \
    X(dram_queue, 8) \
    /* Loads from and stores to device memory, where nothing emulates it. */ \
    X(device_load, 60) \
    X(device_store, 10) \
    /* A miss of a micro-TLB; a miss of the main TLB, beside the loads of descriptors. */ \
    X(utlb_miss, 2) \
    X(tlb_miss, 7) \
    /* A line that another core's first level has, dirty; one that others have and that is to be one's own. */ \
    X(snoop_dirty, 40) \
    X(snoop_shared, 20) \
    /* Write streaming: after so many full lines in a row stores pass by the first level, then by the second (CPUACTLR_EL1: */ \
    /* L1RADIS, RADIS); 0: never. */ \
    X(streaming_l1, 4) \
    X(streaming_l2, 128) \
    /* Prefetch into the first level: streams (0: none), equal strides before it begins, lines ahead (CPUACTLR_EL1: */ \
    /* NPFSTRM, STRIDE, L1PCTL); how many lines a stride may be, up or down (TRM 6.6.2). */ \
    X(prefetch_streams, 2) \
    X(prefetch_strides, 2) \
    X(prefetch_lines, 5) \
    X(prefetch_reach, 4)

struct memsys_parameters {
#define MEMSYS_FIELD(name, value) uint32_t name;
    MEMSYS_PARAMETERS(MEMSYS_FIELD)
#undef MEMSYS_FIELD
};

/* A Cortex-A53's, as above. */
extern const struct memsys_parameters memsys_cortex_a53;

/* The first field that is wrong, and why, as the rest of a sentence about it ("must be ..."); NULL and NULL: none is. */
struct memsys_wrong {
    const char *field, *why;
};
struct memsys_wrong memsys_check(const struct memsys_parameters *parameters);

#endif
