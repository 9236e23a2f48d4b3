#include "alone.h"
#include "answer.h"
#include "cluster_state.h"

/* A log that is being read: its next record, and when that would be by all that is known of the party's waits. */
struct reader {
    const struct memsys_log *log;
    bool shares; /* it has had lines that others can reach */
    struct party *party;
    struct memsys_outcome *outcome;
    unsigned number, owner; /* of the party, and whose accesses these are */
    uint32_t next;
    struct record record;
    int64_t time, late; /* late: than it was charged, so far in this window, */
    int64_t later;      /* and by what the access took that it is at: requests of one begin together */
    int64_t of_hypervisor; /* of both, what its own accesses were short of */
    uint64_t fills, area;
    int64_t others; /* cycles that others have kept its lines waiting */
};

/* Records whose sets are fetched before their turn comes: the host's first level has not all of a second level's tags. */
#define RECORDS_AHEAD 8u

static inline void look_ahead(struct memsys_cluster *cluster, const struct reader *reader) {
    uint32_t next = reader->next + RECORDS_AHEAD;
    if (next < reader->log->count) l2_prefetch(memsys_cluster_l2(cluster), record_line(reader->log->records[next]));
}

static inline bool read_record(struct reader *reader) {
    if (reader->next == reader->log->count) return false;
    int64_t before = reader->time;
    reader->record = record_unpack(reader->log->records[reader->next++]);
    reader->time = (int64_t)(reader->log->begin + reader->record.time);
    if (reader->time != before) {
        reader->late += reader->later;
        reader->later = 0;
    }
    return true;
}

static void count_fill(struct memsys_cluster *cluster, const struct reader *reader, unsigned owner, bool hit) {
    struct memsys_owner_counters *counters = &cluster->counters.owner[owner];
    int64_t more = (int64_t)!hit - !reader->record.hit;
    counters->l2_accesses++;
    if (reader->record.hypervisor) reader->outcome->hypervisor_l2_misses += more;
    else reader->outcome->l2_misses += more;
    if (hit) return;
    counters->l2_misses++;
    count_miss(cluster, reader->record.line, owner);
}

static inline void count(struct memsys_cluster *cluster, const struct reader *reader, unsigned owner, struct answer answer) {
    if (is_fill(reader->record.request)) count_fill(cluster, reader, owner, answer.hit);
    cluster->counters.owner[owner].l2_writebacks += answer.writeback;
    if (answer.victim != NO_LINE) note_evictor(cluster, answer.victim, owner);
}

/* How long a line that was asked for ahead is still under way, by what was charged and really. */
static void use_ahead(struct reader *reader, uint64_t line, int64_t *charged, int64_t *really) {
    int at = ahead_find(&reader->party->ahead, line);
    if (at < 0) return;
    int64_t late = (int64_t)reader->party->ahead.ready[at] - reader->time;
    *charged = late > 0 ? late : 0;
    late = (int64_t)reader->party->really[at] - (reader->time + reader->late);
    *really = late > 0 ? late : 0;
    ahead_drop(&reader->party->ahead, at);
}

static void add_ahead(struct reader *reader, int64_t charged, int64_t really) {
    uint64_t lost;
    uint32_t place = ahead_add(&reader->party->ahead, reader->record.line, (uint64_t)(reader->time + charged), &lost);
    reader->party->really[place] = (uint64_t)(reader->time + reader->late + really);
}

/* Lines that go over the channel, as was charged and as it is: *charged and *really become the cycles that they take. */
static void replay_lines(struct memsys_cluster *cluster, struct reader *reader, unsigned owner, bool hit, bool writeback,
                         int64_t *charged_cycles, int64_t *really_cycles) {
    const struct memsys_parameters *p = &cluster->parameters;
    const struct record *record = &reader->record;
    uint64_t now = (uint64_t)(reader->time + reader->late), free = cluster->channel.free, area = cluster->channel.area;
    struct cost charged = {.cache = settled_cycles(p, record->request)}, really = charged;
    if (!is_settled(record->request, record->hit, record->writeback))
        memsys_serve(&reader->party->own, p, record->request, record->hit, record->writeback, (uint64_t)reader->time,
                     reader->log->wait, &charged);
    if (!is_settled(record->request, hit, writeback))
        memsys_serve(&cluster->channel, p, record->request, hit, writeback, now, 0, &really);
    *charged_cycles = cost_sum(charged);
    *really_cycles = cost_sum(really);
    if (cluster->channel.area == area && cluster->channel.free == free) return;
    bool fills = (is_fill(record->request) && !hit) || record->request == ASK_UNCACHED_LOAD;
    struct memsys_owner_counters *counters = &cluster->counters.owner[owner];
    counters->lines++;
    counters->waits += really.wait;
    cluster->counters.busy += p->dram_line;
    reader->area += cluster->channel.area - area;
    if (!fills) return;
    bool charged_too = !record->hit && charged.wait >= reader->log->wait;
    reader->fills++;
    reader->others += (int64_t)really.wait - (charged_too ? charged.wait - reader->log->wait : 0);
    if (writeback) counters->lines++, cluster->counters.busy += p->dram_line;
}

/* Adds how long it has waited for the path to its first level, as was charged and as it is. */
static inline void wait_for_path(const struct memsys_cluster *cluster, struct reader *reader, bool hit, int64_t *charged,
                                 int64_t *really) {
    const struct memsys_parameters *p = &cluster->parameters;
    const struct record *record = &reader->record;
    struct party *party = reader->party;
    *charged += path_wait(&party->path, p, record->request, record->hit, (uint64_t)reader->time);
    *really += path_wait(&party->really_path, p, record->request, hit, (uint64_t)(reader->time + reader->late));
}

static inline bool is_stale(struct memsys_cluster *cluster, const struct reader *reader) {
    if (reader->record.request != ASK_WRITEBACK || !reader->shares) return false; /* whose words are left untouched */
    return memsys_is_stale(cluster, reader->number, reader->record.line);
}

static inline void replay(struct memsys_cluster *cluster, struct reader *reader) {
    const struct record *record = &reader->record;
    unsigned owner = record->hypervisor ? MEMSYS_HYPERVISOR : reader->owner;
    struct answer answer = {.hit = true, .victim = NO_LINE};
    if (!is_stale(cluster, reader)) answer = l2_ask(memsys_cluster_l2(cluster), record->request, record->line);
    bool settled = is_settled(record->request, record->hit, record->writeback) &
                   is_settled(record->request, answer.hit, answer.writeback);
    count(cluster, reader, owner, answer);
    int64_t charged = 0, really = 0;
    if (!settled) replay_lines(cluster, reader, owner, answer.hit, answer.writeback, &charged, &really);
    else if (record->request == ASK_PREFETCH) charged = really = cluster->parameters.l2_latency;
    wait_for_path(cluster, reader, answer.hit, &charged, &really);
    if (record->request == ASK_PREFETCH) {
        add_ahead(reader, charged, really);
        return;
    }
    if (record->request == ASK_USE) use_ahead(reader, record->line, &charged, &really);
    reader->later += really - charged;
    if (record->hypervisor) reader->of_hypervisor += really - charged;
}

/* The reader whose next record is first: of several at one time, the first. */
static unsigned first_of(struct reader *const readers[], unsigned count) {
    unsigned first = 0;
    for (unsigned i = 1; i < count; i++)
        if (readers[i]->time + readers[i]->late < readers[first]->time + readers[first]->late) first = i;
    return first;
}

/* Of a charge, the part of whom such a share of what was missing is; what one was charged too much is for the other. */
static uint64_t part_of(uint64_t charge, int64_t own, int64_t other) {
    if (own <= 0) return 0;
    return other > 0 ? (uint64_t)((unsigned __int128)charge * (uint64_t)own / (uint64_t)(own + other)) : charge;
}

/* A party's clock goes on `back` cycles before what the window's records have come to: so what is under way is there earlier. */
static void set_back(struct party *party, int64_t back) {
    int64_t free = (int64_t)party->really_path.free - back;
    party->really_path.free = free > 0 ? (uint64_t)free : 0;
    for (uint32_t i = 0; i < party->ahead.capacity; i++) party->really[i] -= (uint64_t)back;
}

static void settle(const struct reader *reader, uint64_t area, uint64_t length, struct memsys_outcome *outcome) {
    struct party *party = reader->party;
    int64_t late = reader->late + reader->later;
    party->balance += late;
    outcome->charge = party->balance > 0 ? (uint64_t)party->balance : 0;
    outcome->of_hypervisor = (uint32_t)part_of(outcome->charge, reader->of_hypervisor, late - reader->of_hypervisor);
    if (party->balance > 0) party->balance = 0;
    set_back(party, late - (int64_t)outcome->charge);
    /* one more line, at any moment of the window, would have waited behind what of others was there on average */
    int64_t waits = reader->others + (int64_t)(length ? (area - reader->area) / length : 0);
    outcome->wait = waits > 0 ? (uint32_t)((uint64_t)waits / (reader->fills + 1)) : 0;
}

/* Through the cluster, in the order of their times. */
static void replay_all(struct memsys_cluster *cluster, struct reader *active[], unsigned count, int64_t *last_late) {
    while (count) {
        unsigned first = first_of(active, count);
        struct reader *reader = active[first];
        look_ahead(cluster, reader);
        replay(cluster, reader);
        cluster->counters.records++;
        *last_late = reader->late;
        if (!read_record(reader)) {
            for (unsigned i = first + 1; i < count; i++) active[i - 1] = active[i];
            count--;
        }
    }
}

void memsys_merge(struct memsys_cluster *cluster, const struct memsys_entry entries[], unsigned parties, uint64_t length,
                  struct memsys_outcome outcomes[]) {
    struct reader all[MEMSYS_PARTIES], *active[MEMSYS_PARTIES];
    unsigned count = 0;
    uint64_t area = cluster->channel.area;
    for (unsigned i = 0; i < parties; i++) {
        const struct memsys_entry *entry = &entries[i];
        all[i] = (struct reader){.log = entry->log, .party = &cluster->parties[i], .outcome = &outcomes[i], .number = i};
        all[i].owner = entry->owner;
        all[i].shares = entry->moves && atomic_load_explicit(&entry->moves->written, memory_order_relaxed);
        outcomes[i] = (struct memsys_outcome){0};
        if (entry->log && entry->log->count) active[count++] = &all[i];
    }
    if (count == 1 && memsys_merge_alone(cluster, entries, parties, active[0]->number, length, outcomes)) return;
    int64_t last_late = 0;
    for (unsigned i = 0; i < count; i++) read_record(active[i]);
    replay_all(cluster, active, count, &last_late);
    area = cluster->channel.area - area;
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < parties; i++) {
        settle(&all[i], area, length, &outcomes[i]);
        if (all[i].next && outcomes[i].charge < least) least = outcomes[i].charge;
        if (entries[i].memsys) memsys_compare(cluster, &entries[i], i);
    }
    /* From the times of whom the channel served last to those at which the first of them goes on. */
    if (least != UINT64_MAX) cluster->channel.free -= (uint64_t)last_late - least;
    cluster->counters.windows++;
    memsys_cluster_l2(cluster)->window++;
}
