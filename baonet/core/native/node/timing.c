/*
 * Under the host's clock each node has its host's. The others ask the one at home what time it is, some times at once when they
 * begin and some twenty times a second from then on, and give their cores what they make of it (offset.h). How late it is on a
 * node goes ahead of all else that this tells another one, so nobody gets to know what has happened there at a later time than
 * its own.
 */
#include "timing.h"

#include <stdlib.h>
#include <string.h>

#include "bell.h"
#include "common_time.h"
#include "pulse.h"

#define BEGINS 8u           /* answers from which on the offset is known */
#define PERIOD 50000000u    /* nanoseconds between two questions */
#define JUMP 1000000u       /* by which time may go forward and nobody is woken: a timer may be as late on a busy host */
#define MOST_TIME (UINT64_C(1) << 62)

struct time_frame {
    uint64_t time;
};
struct tell_frame {
    uint64_t asked, time;
};

struct timing *timing_new(uint64_t epoch, bool at_home) {
    struct timing *timing = calloc(1, sizeof *timing);
    if (!timing) return NULL;
    *timing = (struct timing){.epoch = epoch, .due = at_home ? UINT64_MAX : 0};
    atomic_store(&timing->known, at_home);
    offset_begin(&timing->offset);
    return timing;
}

static uint64_t own(const struct timing *timing) { return pulse_now() - timing->epoch; }

static void say(struct part *part, struct view *view, uint16_t kind, const void *body, size_t length) {
    link_say(&view->peer->link, kind, part->number, body, length, NULL, 0);
}

uint64_t timing_due(const struct part *part) {
    if (!part->timing || part->timing->asks || !part->view_count || part->views[0].peer->lost) return UINT64_MAX;
    return part->timing->due;
}

void timing_ask(struct part *part) {
    struct timing *timing = part->timing;
    timing->asks = true;
    timing->asked = own(timing);
    say(part, &part->views[0], FRAME_ASK, &(struct time_frame){timing->asked}, sizeof(struct time_frame));
}

void timing_tell(struct part *part, struct view *view) {
    struct timing *timing = part->timing;
    if (!atomic_load(&timing->known)) return;
    struct time_frame frame = {common_time(part->ledger, own(timing))};
    say(part, view, FRAME_TIME, &frame, sizeof frame);
}

/* Cores that wait for a time wait by the clock: they are to look again when it has jumped. */
static void wake_all(struct part *part) {
    for (unsigned i = 0; i < part->member_count; i++)
        if (part->processes[part->members[i]] != NOWHERE) bell_call(&part->slots[part->members[i]]);
}

static void correct(struct part *part, int64_t offset) {
    struct timing *timing = part->timing;
    struct ledger *ledger = part->ledger;
    int64_t before = atomic_load(&ledger->offset);
    bool known = atomic_load(&timing->known); /* else nobody has seen any time */
    if (known && offset < before) {
        atomic_store(&ledger->falls, true);
        common_raise(ledger, common_of(before, own(timing)) + MISREAD);
    }
    atomic_store(&ledger->offset, offset);
    if (known && offset - before > (int64_t)JUMP) wake_all(part);
}

/*
 * It follows the estimate when that is further away than half of what it may be wrong by, which is seldom: each time that it
 * goes back, cores share what they read until time has caught up.
 */
static void follow(struct part *part, uint64_t time) {
    struct timing *timing = part->timing;
    struct ledger *ledger = part->ledger;
    struct offset_estimate found = offset_at(&timing->offset, time);
    int64_t away = found.offset - atomic_load(&ledger->offset);
    if (atomic_load(&ledger->falls) && common_clock(ledger, time) > atomic_load(&ledger->floor)) atomic_store(&ledger->falls, false);
    if (!atomic_load(&timing->known) || away > found.error / 2 || away < -found.error / 2) {
        correct(part, found.offset);
        away = 0;
    }
    atomic_store(&timing->drift, (int64_t)(found.drift * 1e9));
    atomic_store(&timing->error, found.error + (away < 0 ? -away : away));
    if (timing->offset.answers >= BEGINS) atomic_store(&timing->known, true);
}

static bool take_told(struct part *part, const uint8_t *body, size_t length) {
    struct timing *timing = part->timing;
    struct tell_frame frame;
    if (length != sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    if (!timing->asks || frame.asked != timing->asked || frame.time >= MOST_TIME) return false;
    uint64_t host = pulse_now(), time = host - timing->epoch;
    timing->asks = false;
    timing->due = atomic_load(&timing->known) ? host + PERIOD : 0;
    offset_feed(&timing->offset, frame.asked, frame.time, time);
    follow(part, time);
    return true;
}

/*
 * Who is ahead of this node by more than a peer may be silent lies, or its clock was set: each knows its own to within half of
 * the time that an answer has taken, and who is not heard of for longer than the limit is lost. Before home's time is known it is
 * what home says.
 */
static bool take_time(const struct courier *courier, struct part *part, const uint8_t *body, size_t length) {
    struct time_frame frame;
    if (length != sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    if (frame.time >= MOST_TIME) return false;
    uint64_t time = common_time(part->ledger, own(part->timing));
    bool known = atomic_load(&part->timing->known);
    if (known && frame.time > time && frame.time - time > courier->limit) return false;
    common_raise(part->ledger, frame.time);
    if (known && frame.time > time && frame.time - time > JUMP) wake_all(part);
    return true;
}

static bool take_question(struct part *part, struct view *from, const uint8_t *body, size_t length) {
    struct time_frame frame;
    if (length != sizeof frame) return false;
    memcpy(&frame, body, sizeof frame);
    struct tell_frame answer = {frame.time, own(part->timing)};
    say(part, from, FRAME_TELL, &answer, sizeof answer);
    return true;
}

bool timing_take(struct courier *courier, struct part *part, struct view *from, uint16_t kind, const uint8_t *body, size_t length) {
    bool at_home = courier->node == part->home;
    if (!part->timing) return false;
    switch (kind) {
    case FRAME_TIME: return take_time(courier, part, body, length);
    case FRAME_ASK: return at_home && take_question(part, from, body, length);
    default: return !at_home && take_told(part, body, length);
    }
}
