#include "prefetch.h"

#define PAGE_LINES (1u << (MEMSYS_PAGE_SHIFT - MEMSYS_LINE_SHIFT))

static bool same_page(uint64_t one, uint64_t other) { return one / PAGE_LINES == other / PAGE_LINES; }

/* The stream that expects this line, or one that may find its stride by it; NULL: none. */
static struct stream *stream_of(struct prefetcher *prefetcher, const struct memsys_parameters *p, uint64_t line) {
    struct stream *near = NULL;
    for (uint32_t i = 0; i < p->prefetch_streams; i++) {
        struct stream *stream = &prefetcher->streams[i];
        if (stream->last == NO_LINE || !same_page(stream->last, line)) continue;
        int64_t step = (int64_t)(line - stream->last);
        if (stream->stride && step == stream->stride) return stream;
        if (!near && step && step <= (int64_t)p->prefetch_reach && -step <= (int64_t)p->prefetch_reach) near = stream;
    }
    return near;
}

uint32_t memsys_prefetcher_see(struct prefetcher *prefetcher, const struct memsys_parameters *p, uint64_t line, uint64_t lines[]) {
    struct stream *stream = stream_of(prefetcher, p, line);
    if (!stream) {
        if (!p->prefetch_streams) return 0;
        prefetcher->streams[prefetcher->next] = (struct stream){.last = line};
        prefetcher->next = prefetcher->next + 1 < p->prefetch_streams ? prefetcher->next + 1 : 0;
        return 0;
    }
    int32_t step = (int32_t)(line - stream->last);
    stream->last = line;
    if (step != stream->stride) {
        stream->stride = step;
        stream->equal = 1;
        stream->furthest = line;
    } else {
        stream->equal++;
    }
    if (stream->equal < p->prefetch_strides) return 0;
    uint32_t count = 0;
    for (uint32_t i = 1; i <= p->prefetch_lines; i++) {
        uint64_t next = line + (uint64_t)((int64_t)i * step);
        if (!same_page(next, line)) break;
        if (step > 0 ? next > stream->furthest : next < stream->furthest) lines[count++] = next;
    }
    if (count) stream->furthest = lines[count - 1];
    return count;
}
