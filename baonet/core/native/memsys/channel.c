#include "l2.h"

/* A line goes over the channel: gives how long it waits before. */
static uint32_t serve_line(struct memsys_channel *channel, const struct memsys_parameters *p, uint64_t now) {
    uint64_t wait = channel->free > now ? channel->free - now : 0;
    channel->free = now + wait + p->dram_line;
    channel->area += p->dram_line * wait + (uint64_t)p->dram_line * p->dram_line / 2;
    return (uint32_t)wait;
}

/* A line to memory, for which nobody waits while the queue has room: gives the wait until it has. */
static uint32_t post_line(struct memsys_channel *channel, const struct memsys_parameters *p, uint64_t now) {
    uint32_t wait = serve_line(channel, p, now), queue = p->dram_queue * p->dram_line;
    return wait > queue ? wait - queue : 0;
}

void memsys_serve(struct memsys_channel *channel, const struct memsys_parameters *p, enum request request, bool hit,
                  bool writeback, uint64_t now, uint32_t others, struct cost *cost) {
    bool store = request == ASK_STORE || request == ASK_MERGE;
    if (is_fill(request) && !hit) {
        cost->cache = store ? 0 : p->l2_latency;
        cost->memory = store ? p->dram_store : p->dram_latency;
        cost->wait = serve_line(channel, p, now) + others;
        if (writeback) serve_line(channel, p, now); /* after it */
        return;
    }
    cost->cache = settled_cycles(p, request);
    cost->memory = cost->wait = 0;
    if (request == ASK_UNCACHED_LOAD) {
        cost->memory = p->dram_latency;
        cost->wait = serve_line(channel, p, now) + others;
    } else if (request == ASK_UNCACHED_STORE) {
        cost->memory = p->dram_store;
        cost->wait = post_line(channel, p, now);
    } else if (request == ASK_STREAM_PAST && !hit) {
        cost->wait = post_line(channel, p, now);
    }
    if (writeback) cost->wait += post_line(channel, p, now);
}
