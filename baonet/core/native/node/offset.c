#include "offset.h"

#define STRETCH 250000000u
#define APART 1000000000.0 /* nanoseconds of two answers that tell how fast clocks drift apart */
#define CONTRADICTION (-1)
#define WANDERS 1e-6       /* a rate that is called constant: it changes with the weather */

static double least(double one, double other) { return one < other ? one : other; }
static double most(double one, double other) { return one > other ? one : other; }

void offset_begin(struct offset *offset) {
    *offset = (struct offset){.slowest = -OFFSET_DRIFTS, .fastest = OFFSET_DRIFTS};
}

static int64_t width(const struct answer *answer) { return answer->high - answer->low; }

/* Narrows how fast the clocks drift apart by two answers; the moment of each is known no better than its offset. */
static void compare(double *slowest, double *fastest, const struct answer *older, const struct answer *newer) {
    double shortest = (double)newer->sent - (double)older->received, longest = (double)newer->received - (double)older->sent;
    if (shortest < APART) return;
    double low = (double)(newer->low - older->high), high = (double)(newer->high - older->low);
    *slowest = most(*slowest, low / (low < 0 ? shortest : longest));
    *fastest = least(*fastest, high / (high > 0 ? shortest : longest));
}

static void find_drift(struct offset *offset) {
    unsigned count = offset->epochs < OFFSET_EPOCHS ? (unsigned)offset->epochs : OFFSET_EPOCHS;
    double slowest = -OFFSET_DRIFTS, fastest = OFFSET_DRIFTS;
    for (unsigned i = 0; i < count; i++)
        for (unsigned j = 0; j < count; j++)
            if (offset->best[j].sent > offset->best[i].received) compare(&slowest, &fastest, &offset->best[i], &offset->best[j]);
    if (slowest > fastest) { /* it has changed since */
        offset->best[0] = offset->best[(offset->epochs - 1) % OFFSET_EPOCHS];
        offset->epochs = 1;
        slowest = -OFFSET_DRIFTS;
        fastest = OFFSET_DRIFTS;
    }
    offset->slowest = slowest - WANDERS;
    offset->fastest = fastest + WANDERS;
}

static void remember(struct offset *offset, const struct answer *answer) {
    offset->recent[offset->answers++ % OFFSET_RECENT] = *answer;
    if (offset->answers == 1) {
        offset->leader = *answer;
        offset->stretch = answer->received;
    } else if (answer->received - offset->stretch < STRETCH) {
        if (width(answer) < width(&offset->leader)) offset->leader = *answer;
    } else {
        offset->best[offset->epochs++ % OFFSET_EPOCHS] = offset->leader;
        find_drift(offset);
        offset->leader = *answer;
        offset->stretch = answer->received;
    }
}

struct offset_estimate offset_at(const struct offset *offset, uint64_t time) {
    unsigned count = offset->answers < OFFSET_RECENT ? (unsigned)offset->answers : OFFSET_RECENT;
    int64_t low = INT64_MIN / 2, high = INT64_MAX / 2;
    double drift = (offset->slowest + offset->fastest) / 2;
    if (!count) return (struct offset_estimate){.error = INT64_MAX};
    for (unsigned i = 0; i < count; i++) {
        const struct answer *answer = &offset->recent[i];
        double oldest = (double)(int64_t)(time - answer->sent), youngest = (double)(int64_t)(time - answer->received);
        double back = offset->slowest * (offset->slowest < 0 ? oldest : youngest);
        double forth = offset->fastest * (offset->fastest > 0 ? oldest : youngest);
        int64_t from = answer->low + (int64_t)back - 1, to = answer->high + (int64_t)forth + 1;
        if (from > low) low = from;
        if (to < high) high = to;
    }
    if (low > high) return (struct offset_estimate){.error = CONTRADICTION};
    return (struct offset_estimate){.offset = low + (high - low) / 2, .error = (high - low + 1) / 2, .drift = drift};
}

void offset_feed(struct offset *offset, uint64_t sent, uint64_t theirs, uint64_t received) {
    struct answer answer = {.sent = sent, .received = received, .low = (int64_t)(theirs - received),
                            .high = (int64_t)(theirs - sent)};
    remember(offset, &answer);
    if (offset_at(offset, received).error != CONTRADICTION) return;
    offset_begin(offset);
    remember(offset, &answer);
}
