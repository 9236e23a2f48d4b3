#include "inside.h"

static void write_down(const struct memsys_view *view, uint64_t now, enum request request, uint64_t line,
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

struct cost memsys_ask(const struct memsys_view *view, uint64_t now, enum request request, uint64_t line) {
    struct inner *in = inner_of(view);
    struct answer answer = memsys_l2_ask(view->l2, request, line);
    write_down(view, now, request, line, answer);
    if (is_fill(request)) {
        counting(in)->l2_accesses++;
        counting(in)->l2_misses += !answer.hit;
    }
    return memsys_serve(view->channel ? view->channel : &in->channel, &in->head.parameters, request, answer.hit,
                        answer.writeback, now, view->log ? view->log->wait : 0);
}
