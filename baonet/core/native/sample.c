#include "sample.h"

#include "clock.h"
#include "trace.h"

#define PER_SECOND 10000u /* at most so many of each pcpu, in virtual time */

/* The guest's, and the hypervisor's below it. */
static struct memsys_sampled counted(const struct memsys *memsys) {
    struct memsys_sampled sum = {0};
    for (unsigned i = 0; i < 2; i++) {
        const struct memsys_counters *counters = &memsys->counters[i];
        sum.l1i_misses += counters->l1i_misses;
        sum.l1d_misses += counters->l1d_misses;
        sum.l2_misses += counters->l2_misses;
        sum.walks += counters->tlb_i_misses + counters->tlb_d_misses;
        sum.snoops += counters->snoops;
        const uint64_t *stalls = counters->stalls;
        sum.cache += stalls[MEMSYS_STALL_FETCH] + stalls[MEMSYS_STALL_DATA] + stalls[MEMSYS_STALL_STORE];
        sum.memory += stalls[MEMSYS_STALL_DRAM];
        sum.contention += stalls[MEMSYS_STALL_WAIT] + stalls[MEMSYS_STALL_CORRECTION];
        sum.translation += stalls[MEMSYS_STALL_TRANSLATION];
        for (unsigned cause = 0; cause < MEMSYS_CAUSES; cause++) sum.all += stalls[cause];
    }
    return sum;
}

/* What has come to a count since the last record. A window's edge may take misses back: then nothing has, until it has grown again. */
static uint32_t since(uint64_t *sampled, uint64_t now) {
    if (now <= *sampled) return 0;
    uint64_t grown = now - *sampled;
    *sampled = now;
    return grown > UINT32_MAX ? UINT32_MAX : (uint32_t)grown;
}

void sample_memory(struct core *core) {
    struct memsys_sampled *last = &memsys_weave_party(core->weave, core->party)->sampled, now = counted(core->view.memsys);
    uint64_t time = clock_now(core);
    if (time - last->time < core->hz / PER_SECOND) return;
    last->time = time;
    uint32_t l1i = since(&last->l1i_misses, now.l1i_misses), l1d = since(&last->l1d_misses, now.l1d_misses);
    uint32_t l2 = since(&last->l2_misses, now.l2_misses), walks = since(&last->walks, now.walks);
    uint32_t snoops = since(&last->snoops, now.snoops);
    uint32_t all = since(&last->all, now.all), cache = since(&last->cache, now.cache), memory = since(&last->memory, now.memory);
    uint32_t contention = since(&last->contention, now.contention), translation = since(&last->translation, now.translation);
    if (l1i | l1d | l2 | walks | snoops)
        trace(core, TRACE_MISSES, l1i, l1d | (uint64_t)l2 << 32, walks | (uint64_t)snoops << 32);
    if (all) trace(core, TRACE_STALLS, all, cache | (uint64_t)memory << 32, contention | (uint64_t)translation << 32);
}
