#include "answer.h"
#include "inside.h"

static inline void write_down(const struct memsys_view *view, uint64_t now, enum request request, uint64_t line,
                              struct answer answer) {
    struct memsys_log *log = view->log;
    struct inner *in = inner_of(view);
    if (!log) return;
    if (log->count == log->capacity) {
        counting(in)->unlogged++;
        return;
    }
    log->records[log->count++] = record_pack((struct record){.line = line,
                                                            .time = now > log->begin ? now - log->begin : 0,
                                                            .request = request,
                                                            .hit = answer.hit,
                                                            .writeback = answer.writeback,
                                                            .hypervisor = in->head.hypervisor});
}

/* Of an answer for which the channel is needed. */
static unsigned serve(const struct memsys_view *view, uint64_t now, enum request request, struct answer answer,
                      enum memsys_cause cause, bool counts) {
    struct inner *in = inner_of(view);
    struct cost cost;
    memsys_serve(view->channel ? view->channel : &in->channel, &in->head.parameters, request, answer.hit, answer.writeback, now,
                 view->log ? view->log->wait : 0, &cost);
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
