#include "parameters.h"

#include <stdbool.h>
#include <stddef.h>

#include "l1.h"
#include "l2.h"
#include "prefetch.h"
#include "tlb_sets.h"

const struct memsys_parameters memsys_cortex_a53 = {
#define MEMSYS_FIELD(name, value) .name = value,
    MEMSYS_PARAMETERS(MEMSYS_FIELD)
#undef MEMSYS_FIELD
};

static bool is_power(uint64_t n) { return n && !(n & (n - 1)); }

static const char *wrong_ways(uint32_t ways) {
    return ways >= 1 && ways <= CACHE_WAYS ? NULL : "must be from 1 to 16";
}

/* Of a first-level cache: its index is the page offset at least, so a line's page tells which line it is. */
static const char *wrong_l1(uint32_t size, uint32_t ways) {
    if (size % ways || !is_power(size / ways)) return "must be its ways times a power of two";
    if (size / ways < 1u << MEMSYS_PAGE_SHIFT) return "must be at least 4 KiB a way";
    if (size / ways > L1_WAY_MOST) return "must be at most 32 KiB a way";
    if (size > L1_LINES << MEMSYS_LINE_SHIFT) return "must be at most 64 KiB";
    return NULL;
}

static const char *wrong_l2(uint32_t size, uint32_t ways) {
    if (size % ways || !is_power(size / ways)) return "must be its ways times a power of two";
    if (size / ways < L2_SETS_MIN << MEMSYS_LINE_SHIFT) return "must be at least 4 KiB a way";
    if (size > L2_SIZE_MAX) return "must be at most 64 MiB";
    return NULL;
}

static const char *wrong_entries(uint32_t entries, uint32_t ways, uint32_t most, const char *too_many) {
    if (entries % ways || !is_power(entries / ways)) return "must be its ways times a power of two";
    return entries <= most ? NULL : too_many;
}

static const char *wrong_micro(uint32_t entries) {
    return entries >= 1 && entries <= MICRO_ENTRIES ? NULL : "must be from 1 to 64";
}

static const char *wrong_cycles(uint32_t cycles) { return cycles <= 10000 ? NULL : "must be at most 10000 cycles"; }

struct memsys_wrong memsys_check(const struct memsys_parameters *p) {
    const char *why;
#define CHECK(field, test) \
    if ((why = (test))) return (struct memsys_wrong){#field, why}
    CHECK(l1i_ways, wrong_ways(p->l1i_ways));
    CHECK(l1i_size, wrong_l1(p->l1i_size, p->l1i_ways));
    CHECK(l1d_ways, wrong_ways(p->l1d_ways));
    CHECK(l1d_size, wrong_l1(p->l1d_size, p->l1d_ways));
    CHECK(l2_ways, wrong_ways(p->l2_ways));
    CHECK(l2_size, wrong_l2(p->l2_size, p->l2_ways));
    CHECK(l2_on_eviction, p->l2_on_eviction <= 1 ? NULL : "must be 0 or 1");
    CHECK(utlb_instruction, wrong_micro(p->utlb_instruction));
    CHECK(utlb_data, wrong_micro(p->utlb_data));
    CHECK(tlb_ways, wrong_ways(p->tlb_ways));
    CHECK(tlb_entries, wrong_entries(p->tlb_entries, p->tlb_ways, TLB_ENTRIES, "must be at most 1024"));
    CHECK(walk_cache_ways, wrong_ways(p->walk_cache_ways));
    CHECK(walk_cache_entries, wrong_entries(p->walk_cache_entries, p->walk_cache_ways, SMALL_ENTRIES, "must be at most 256"));
    CHECK(ipa_cache_ways, wrong_ways(p->ipa_cache_ways));
    CHECK(ipa_cache_entries, wrong_entries(p->ipa_cache_entries, p->ipa_cache_ways, SMALL_ENTRIES, "must be at most 256"));
    CHECK(l2_latency, wrong_cycles(p->l2_latency));
    CHECK(l2_store, wrong_cycles(p->l2_store));
    CHECK(l2_path, wrong_cycles(p->l2_path));
    CHECK(dram_latency, wrong_cycles(p->dram_latency));
    CHECK(dram_store, wrong_cycles(p->dram_store));
    CHECK(dram_line, wrong_cycles(p->dram_line));
    CHECK(dram_queue, p->dram_queue <= 1024 ? NULL : "must be at most 1024 lines");
    CHECK(device_load, wrong_cycles(p->device_load));
    CHECK(device_store, wrong_cycles(p->device_store));
    CHECK(utlb_miss, wrong_cycles(p->utlb_miss));
    CHECK(tlb_miss, wrong_cycles(p->tlb_miss));
    CHECK(snoop_dirty, wrong_cycles(p->snoop_dirty));
    CHECK(snoop_shared, wrong_cycles(p->snoop_shared));
    CHECK(prefetch_streams, p->prefetch_streams <= PREFETCH_STREAMS ? NULL : "must be at most 8");
    CHECK(prefetch_strides, p->prefetch_strides >= 1 && p->prefetch_strides <= 16 ? NULL : "must be from 1 to 16");
    CHECK(prefetch_lines, p->prefetch_lines >= 1 && p->prefetch_lines <= 16 ? NULL : "must be from 1 to 16");
    CHECK(prefetch_lines, ahead_capacity(p) <= AHEAD_LINES ? NULL : "must be at most 28 over all streams");
    CHECK(prefetch_reach, p->prefetch_reach >= 1 && p->prefetch_reach <= 63 ? NULL : "must be from 1 to 63 lines");
#undef CHECK
    return (struct memsys_wrong){NULL, NULL};
}
