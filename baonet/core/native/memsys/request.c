#include "answer.h"
#include "inside.h"

/* What of an answer is no part of the record. */
static void note_deeds(struct memsys_log *log, struct inner *in, enum request request, uint64_t line, struct answer answer) {
    uint64_t *deeds = log->records + log->capacity + log->deeds;
    if (log->deeds + 2 > log->capacity) {
        in->kept = false;
        return;
    }
    if (is_fill(request) && !answer.hit) *deeds++ = line << DEED_BITS | DEED_MISSED | in->head.hypervisor;
    if (answer.victim != NO_LINE) *deeds++ = answer.victim << DEED_BITS | in->head.hypervisor;
    log->deeds = (uint32_t)(deeds - (log->records + log->capacity));
    log->tally[in->head.hypervisor].l2_writebacks += answer.writeback;
}

static inline void write_down(const struct memsys_view *view, uint64_t now, enum request request, uint64_t line,
                              struct answer answer) {
    struct memsys_log *log = view->log;
    struct inner *in = inner_of(view);
    if (!log) return;
    if (log->count == log->capacity) {
        counting(in)->unlogged++;
        in->kept = false;
        return;
    }
    uint64_t time = now - log->begin;
    if (time > RECORD_TIME_MOST) {
        in->kept = false;
        time = now < log->begin ? 0 : RECORD_TIME_MOST;
    }
    log->records[log->count++] = record_pack((struct record){.line = line,
                                                            .time = time,
                                                            .request = request,
                                                            .hit = answer.hit,
                                                            .writeback = answer.writeback,
                                                            .hypervisor = in->head.hypervisor});
    if ((is_fill(request) & !answer.hit) | answer.writeback | (answer.victim != NO_LINE)) note_deeds(log, in, request, line, answer);
}

/* One line, or of a fill two: what it has driven out follows. */
static void tally_lines(struct memsys_tally *tally, enum request request, struct answer answer, uint32_t wait) {
    tally->lines += 1u + (is_fill(request) && !answer.hit && answer.writeback);
    tally->waits += wait;
}

/* Of an answer for which the channel is needed. */
static unsigned serve(const struct memsys_view *view, uint64_t now, enum request request, struct answer answer,
                      enum memsys_cause cause, bool counts) {
    struct inner *in = inner_of(view);
    struct cost cost;
    struct memsys_channel *channel = view->channel ? view->channel : &in->channel;
    uint64_t free = channel->free;
    memsys_serve(channel, &in->head.parameters, request, answer.hit, answer.writeback, now, view->log ? view->log->wait : 0, &cost);
    if (view->log && channel->free != free) tally_lines(&view->log->tally[in->head.hypervisor], request, answer, cost.wait);
    uint64_t *stalls = counting(in)->stalls;
    if (!counts) return cost_sum(cost);
    stalls[cause] += cost.cache;
    stalls[cause == MEMSYS_STALL_DEVICE ? cause : MEMSYS_STALL_DRAM] += cost.memory;
    stalls[MEMSYS_STALL_WAIT] += cost.wait;
    return cost_sum(cost);
}

static inline __attribute__((always_inline)) unsigned ask(const struct memsys_view *view, uint64_t now, enum request request,
                                                          uint64_t line, enum memsys_cause cause, bool counts) {
    struct inner *in = inner_of(view);
    struct answer answer = l2_ask(view->l2, request, line);
    write_down(view, now, request, line, answer);
    if (is_fill(request)) {
        counting(in)->l2_accesses++;
        counting(in)->l2_misses += !answer.hit;
    }
    unsigned cycles = path_wait(&in->path, &in->head.parameters, request, answer.hit, now);
    bool settled = is_settled(request, answer.hit, answer.writeback);
    if (settled) cycles += settled_cycles(&in->head.parameters, request);
    if (counts) counting(in)->stalls[cause] += cycles;
    return settled ? cycles : cycles + serve(view, now, request, answer, cause, counts);
}

unsigned memsys_ask(const struct memsys_view *view, uint64_t now, enum request request, uint64_t line, enum memsys_cause cause) {
    return ask(view, now, request, line, cause, true);
}

unsigned memsys_ask_apart(const struct memsys_view *view, uint64_t now, enum request request, uint64_t line) {
    return ask(view, now, request, line, MEMSYS_STALL_DATA, false);
}
