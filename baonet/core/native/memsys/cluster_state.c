#include "cluster_state.h"

#include <string.h>

#include "coherence.h"

static uint64_t round_up(uint64_t size) { return (size + 63) & ~(uint64_t)63; }

/* Lays it out, and gives the size; with no cluster, that alone. */
static size_t lay_out(struct memsys_cluster *cluster, const struct memsys_parameters *p, const struct memsys_extent *extents,
                      unsigned count) {
    uint64_t size = round_up(sizeof *cluster);
    if (cluster) cluster->l2 = size;
    size += memsys_l2_size(p);
    for (unsigned i = 0; i < count && i < MEMSYS_EXTENTS; i++) {
        uint64_t lines = extents[i].size >> MEMSYS_LINE_SHIFT, pages = (extents[i].size + 4095) >> MEMSYS_PAGE_SHIFT;
        struct part part = {.line = extents[i].base >> MEMSYS_LINE_SHIFT, .lines = lines, .evictors = size};
        size += round_up(lines);
        part.pages = size;
        size += round_up(pages * sizeof(uint32_t));
        part.words = size;
        size += round_up(lines * sizeof(memsys_word));
        if (cluster) cluster->parts[i] = part, cluster->part_count = i + 1;
    }
    return size;
}

size_t memsys_cluster_size(const struct memsys_parameters *p, const struct memsys_extent *extents, unsigned count) {
    return lay_out(NULL, p, extents, count);
}

void memsys_cluster_init(struct memsys_cluster *cluster, const struct memsys_parameters *p, const struct memsys_extent *extents,
                         unsigned count) {
    lay_out(cluster, p, extents, count);
    cluster->parameters = *p;
    for (unsigned i = 0; i < MEMSYS_PARTIES; i++) ahead_init(&cluster->parties[i].ahead, p);
    memsys_l2_init(memsys_cluster_l2(cluster), p);
}

bool memsys_cluster_plausible(struct memsys_cluster *cluster, const struct memsys_parameters *p, const struct memsys_extent *extents,
                              unsigned count) {
    struct memsys_cluster like = {0};
    lay_out(&like, p, extents, count);
    for (unsigned i = 0; i < MEMSYS_PARTIES; i++)
        if (!memsys_ahead_plausible(&cluster->parties[i].ahead, p)) return false;
    return cluster->l2 == like.l2 && cluster->part_count == like.part_count && !memcmp(cluster->parts, like.parts, sizeof like.parts) &&
           !memcmp(&cluster->parameters, p, sizeof *p) && memsys_l2_plausible(memsys_cluster_l2(cluster), p);
}

struct memsys_l2 *memsys_cluster_l2(struct memsys_cluster *cluster) {
    return (struct memsys_l2 *)((uint8_t *)cluster + cluster->l2);
}

struct memsys_cluster_counters *memsys_cluster_counters(struct memsys_cluster *cluster) { return &cluster->counters; }

const uint32_t *memsys_cluster_pages(const struct memsys_cluster *cluster, unsigned extent) {
    return (const uint32_t *)((const uint8_t *)cluster + cluster->parts[extent].pages);
}

memsys_word *memsys_cluster_word(struct memsys_cluster *cluster, uint64_t line) {
    for (uint64_t i = 0; i < cluster->part_count; i++) {
        const struct part *part = &cluster->parts[i];
        if (line - part->line < part->lines) return (memsys_word *)((uint8_t *)cluster + part->words) + (line - part->line);
    }
    return NULL;
}

void memsys_adopt(struct memsys_l2 *replica, const struct memsys_cluster *cluster) {
    memsys_l2_adopt(replica, (const struct memsys_l2 *)((const uint8_t *)cluster + cluster->l2));
}

/*
 * What costs nothing can be asked for without end, which are stores that the second level has lines for: of an instruction of
 * 64 bytes that are not aligned two lines come, and two leave, and it takes half a cycle at least (check refuses a smaller cpi).
 * Room that is not used is not touched, and so takes no memory.
 */
#define RECORDS_PER_CYCLE 8

uint32_t memsys_log_capacity(uint64_t window) { return (uint32_t)(window * RECORDS_PER_CYCLE + 4096); }

size_t memsys_log_size(uint64_t window) { return sizeof(struct memsys_log) + 2 * memsys_log_capacity(window) * sizeof(uint64_t); }

void memsys_log_init(struct memsys_log *log, uint64_t window) { *log = (struct memsys_log){.capacity = memsys_log_capacity(window)}; }

bool memsys_log_plausible(const struct memsys_log *log, uint64_t window) {
    return log->capacity == memsys_log_capacity(window) && log->count <= log->capacity &&
           log->deeds <= log->capacity;
}

void memsys_count_outcome(struct memsys_counters counters[2], const struct memsys_outcome *outcome) {
    counters[0].l2_misses += (uint64_t)outcome->l2_misses;
    counters[1].l2_misses += (uint64_t)outcome->hypervisor_l2_misses;
    counters[0].stalls[MEMSYS_STALL_CORRECTION] += outcome->charge - outcome->of_hypervisor;
    counters[1].stalls[MEMSYS_STALL_CORRECTION] += outcome->of_hypervisor;
}

void memsys_window_begin(struct memsys *memsys, struct memsys_log *log, uint64_t now, const struct memsys_outcome *outcome) {
    memsys_count_outcome(memsys->counters, outcome);
    log->begin = now;
    log->count = log->deeds = 0;
    log->wait = outcome->wait;
    for (unsigned i = 0; i < 2; i++)
        log->tally[i] = (struct memsys_tally){.l2_accesses = memsys->counters[i].l2_accesses, .l2_misses = memsys->counters[i].l2_misses};
}

bool memsys_is_stale(struct memsys_cluster *cluster, unsigned party, uint64_t line) {
    memsys_word *word = memsys_cluster_word(cluster, line);
    uint64_t known = word ? atomic_load_explicit(word, memory_order_relaxed) : 0;
    return known & COHERENCE_KNOWN && !(known & COHERENCE_HOLDER(party));
}
