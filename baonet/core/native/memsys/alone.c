#include "alone.h"

#include <string.h>

#include "answer.h"
#include "inside.h"

/* Whether two moments are one for whoever asks at `now` or later: neither is waited for, or they are the same. */
static bool agree(uint64_t one, uint64_t other, uint64_t now) { return one == other || (one < now && other < now); }

/* Whether a party has been charged what it really took, by all that is kept of both when the window begins. */
static bool in_step(const struct memsys_cluster *cluster, const struct party *party, uint64_t now) {
    if (!agree(party->own.free, cluster->channel.free, now) || !agree(party->path.free, party->really_path.free, now)) return false;
    for (uint32_t i = 0; i < party->ahead.capacity; i++)
        if (!agree(party->ahead.ready[i], party->really[i], now)) return false;
    return true;
}

/* Whether lines that have left its first level were all its own. */
static bool has_what_it_writes_back(struct memsys_cluster *cluster, const struct memsys_entry *entry, unsigned number) {
    if (!entry->moves || !atomic_load_explicit(&entry->moves->written, memory_order_relaxed)) return true;
    for (uint32_t i = 0; i < entry->log->count; i++) {
        struct record record = record_unpack(entry->log->records[i]);
        if (record.request == ASK_WRITEBACK && memsys_is_stale(cluster, number, record.line)) return false;
    }
    return true;
}

static bool is_alone(struct memsys_cluster *cluster, const struct memsys_entry *entry, unsigned number) {
    if (!entry->memsys || !((const struct inner *)entry->memsys)->kept || entry->log->wait || !cluster->parameters.dram_line) return false;
    return entry->replica->window == memsys_cluster_l2(cluster)->window && /* it has begun with what the cluster has */
           in_step(cluster, &cluster->parties[number], entry->log->begin) && has_what_it_writes_back(cluster, entry, number);
}

/* Deeds whose lines are fetched before their turn comes. */
#define DEEDS_AHEAD 8u

static void read_deeds(struct memsys_cluster *cluster, const struct memsys_entry *entry) {
    const uint64_t *deeds = log_deeds(entry->log);
    uint32_t *page;
    for (uint32_t i = 0; i < entry->log->deeds; i++) {
        if (i + DEEDS_AHEAD < entry->log->deeds) __builtin_prefetch(evictor_of(cluster, deed_line(deeds[i + DEEDS_AHEAD]), &page), 1);
        unsigned owner = deeds[i] & DEED_HYPERVISOR ? MEMSYS_HYPERVISOR : entry->owner;
        if (deeds[i] & DEED_MISSED) count_miss(cluster, deed_line(deeds[i]), owner);
        else note_evictor(cluster, deed_line(deeds[i]), owner);
    }
}

static void count(struct memsys_cluster *cluster, const struct memsys_entry *entry) {
    for (unsigned hypervisor = 0; hypervisor < 2; hypervisor++) {
        const struct memsys_tally *tally = &entry->log->tally[hypervisor];
        const struct memsys_counters *now = &entry->memsys->counters[hypervisor];
        struct memsys_owner_counters *counters = &cluster->counters.owner[hypervisor ? MEMSYS_HYPERVISOR : entry->owner];
        counters->l2_accesses += now->l2_accesses - tally->l2_accesses;
        counters->l2_misses += now->l2_misses - tally->l2_misses;
        counters->l2_writebacks += tally->l2_writebacks;
        counters->lines += tally->lines;
        counters->waits += tally->waits;
        cluster->counters.busy += tally->lines * cluster->parameters.dram_line;
    }
    cluster->counters.records += entry->log->count;
    cluster->counters.windows++;
}

/* Gives what the party's lines have had the channel do. */
static uint64_t take_over(struct memsys_cluster *cluster, const struct inner *in, struct party *party) {
    uint64_t area = in->channel.area - party->own.area;
    if (in->channel.free != party->own.free) cluster->channel.free = in->channel.free;
    cluster->channel.area += area;
    party->own = in->channel;
    if (in->path.free != party->path.free) party->really_path = in->path;
    party->path = in->path;
    for (uint32_t i = 0; i < party->ahead.capacity; i++)
        if (in->ahead.ready[i] != party->ahead.ready[i]) party->really[i] = in->ahead.ready[i];
    party->ahead = in->ahead;
    return area;
}

bool memsys_merge_alone(struct memsys_cluster *cluster, const struct memsys_entry entries[], unsigned parties, unsigned number,
                        uint64_t length, struct memsys_outcome outcomes[]) {
    const struct memsys_entry *entry = &entries[number];
    if (!is_alone(cluster, entry, number)) return false;
    read_deeds(cluster, entry);
    count(cluster, entry);
    uint64_t area = take_over(cluster, (const struct inner *)entry->memsys, &cluster->parties[number]);
    memsys_l2_take_over(memsys_cluster_l2(cluster), entry->replica);
    for (unsigned i = 0; i < parties; i++) {
        if (i == number) continue;
        if (length) outcomes[i].wait = (uint32_t)(area / length); /* of one more line, behind what was there on average */
        if (entries[i].memsys) memsys_compare(cluster, &entries[i], i);
    }
    return true;
}

void memsys_compare(const struct memsys_cluster *cluster, const struct memsys_entry *entry, unsigned number) {
    struct inner *in = (struct inner *)entry->memsys;
    const struct party *party = &cluster->parties[number];
    in->kept = in->channel.free == party->own.free && in->channel.area == party->own.area && in->path.free == party->path.free &&
               !memcmp(&in->ahead, &party->ahead, sizeof in->ahead);
}
