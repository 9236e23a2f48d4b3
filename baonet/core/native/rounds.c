/*
 * The rule. A round ends at its edge, which is never behind that of the window. Who has something to do
 * before that takes part.
 *
 * - Parallel phase: all whose guests can go on do so, to the edge, at the same time. A guest stops before what it shares
 *   with others would change hands, when it yields, and when its hypervisor is to be asked.
 * - Serial phase: those that have stopped go on one after the other, in the order of their clocks, the lower number first
 *   on a tie: a guest for a slice, with all rights; a hypervisor does what it is asked, and what it says is told.
 * - Again, until all have come to the edge. Who is alone before it has all rights, and goes on beyond it as long as nobody
 *   else has anything to do.
 *
 * A round is a window long where nobody needs what another has. The first of all is a slice long, and so is one behind a round
 * in which somebody had to stop for another, or was told something late; each of the next is a sixteenth longer. So a round is
 * at most a sixteenth as long as the time since then: who waits for a lock sees it go from hand to hand, which in long rounds
 * it would have done behind his back, and who is told something now and then is told it hardly late.
 *
 * Where memory takes time nobody goes beyond the end of a window: then what pcpus of a cluster have asked their second level for
 * is put in order (memsys/weave.h), which their clocks follow from.
 *
 * Nothing in it depends on how many threads or processes there are, nor on how long the host takes.
 */
#include "rounds.h"

#include "clock.h"
#include "errands.h"
#include "uart.h"

/* Of the host, in nanoseconds: after so long whoever runs the rounds looks around. */
#define PATIENCE 2000000u
/* It looks at that clock when the island has gone on for so many cycles, of which a stay or an errand has some whatever it does. */
#define BETWEEN_LOOKS 100000u
#define OF_A_STAY 1000u

static uint64_t least(uint64_t left, uint64_t right) { return left < right ? left : right; }

static bool takes_part(const struct rounds *rounds, const struct member *member) { return member->next < rounds->edge; }

/* What a stay has come to. */
static void came(struct rounds *rounds, struct member *member, const struct stay *stay) {
    const struct outcome *outcome = &stay->outcome;
    rounds->unseen += outcome->clock - member->clock + OF_A_STAY;
    member->clock = member->next = outcome->clock;
    member->reason = outcome->reason;
    member->printed = outcome->printed;
    if (outcome->blocked)
        member->status = MEMBER_BLOCKED;
    else if (outcome->out)
        member->status = MEMBER_CALLS;
    else if (outcome->yielded && !stay->order.patient)
        member->status = MEMBER_YIELDED;
    else if (member->clock >= member->attention)
        member->status = MEMBER_CALLS;
    else
        member->status = MEMBER_READY;
    member->going = member->status == MEMBER_READY && member->clock < stay->order.limit;
    rounds->fought |= member->status == MEMBER_YIELDED || outcome->fought;
}

/* Where a round ends that begins at a time: never behind the edge of its window. */
static uint64_t end_of_round(const struct rounds *rounds, uint64_t begin) {
    return least(begin + rounds->length, (begin / rounds->window + 1) * rounds->window);
}

/* The member that has something to do first, and when another has. */
static struct member *first_of(const struct rounds *rounds, uint64_t *second) {
    struct member *one = rounds->members;
    *second = NEVER;
    for (struct member *member = rounds->members + 1; member < rounds->members + rounds->count; member++) {
        if (member->next < one->next) {
            *second = least(*second, one->next);
            one = member;
        } else {
            *second = least(*second, member->next);
        }
    }
    return one;
}

/*
 * All stand, and nobody has anything to do before `now`: where a window has ended by then its accesses are put in order, and who
 * was charged too little for them is charged the rest. True: for that, clocks may have gone on.
 */
static bool weave(struct rounds *rounds, uint64_t now) {
    bool due = false, split = false;
    for (unsigned i = 0; i < rounds->woven_count; i++) due |= memsys_weave_due(&rounds->woven[i].weave, now);
    for (unsigned i = 0; due && i < rounds->count; i++) split |= rounds->members[i].lane && rounds->members[i].lane->away;
    if (split && !ledger_end_windows(rounds->ledger, rounds->members->pcpu, now)) {
        PyErr_SetString(PyExc_ConnectionError, "the node's courier has ended: other nodes cannot be told that a window has");
        return true;
    }
    for (struct woven *woven = rounds->woven; woven < rounds->woven + rounds->woven_count; woven++) {
        uint64_t charges[MEMSYS_PARTIES];
        if (!memsys_weave_due(&woven->weave, now)) continue;
        memsys_weave_edge(&woven->weave, woven->owners, now, charges);
        for (unsigned i = 0; i < woven->weave.shape.parties; i++) {
            struct member *member = woven->parties[i];
            if (!member) continue;
            member->clock += charges[i];
            if (member->next < member->clock) member->next = member->clock;
        }
    }
    return due;
}

/* True: nobody has anything to do before `until`. */
static bool begin_round(struct rounds *rounds, uint64_t until) {
    uint64_t second;
    struct member *one = first_of(rounds, &second);
    if (weave(rounds, least(one->next, until))) one = first_of(rounds, &second);
    uint64_t first = one->next;
    if (first >= until) return true;
    rounds->length = least(rounds->fought ? rounds->slice : rounds->length + rounds->length / 16 + 1, rounds->window);
    rounds->fought = false;
    rounds->edge = end_of_round(rounds, first);
    rounds->alone = NULL;
    if (second < rounds->edge) return false;
    rounds->alone = one;
    if (rounds->woven_count) return false; /* what others will find in the caches follows from where this one was */
    uint64_t beyond = least(second / rounds->window * rounds->window, until);
    if (beyond > rounds->edge) rounds->edge = beyond;
    return false;
}

static void begin_phase(struct rounds *rounds) {
    unsigned taking_part = 0;
    rounds->alone = NULL;
    for (struct member *member = rounds->members; member < rounds->members + rounds->count; member++) {
        member->served = member->going = false;
        if (!takes_part(rounds, member)) continue;
        rounds->alone = taking_part++ ? NULL : member;
        if (member->status == MEMBER_READY && member->attention <= member->clock) member->status = MEMBER_CALLS;
        member->going = member->status == MEMBER_READY;
    }
}

static struct stay stay_of(const struct member *member, struct order order) {
    return (struct stay){.core = member->core, .lane = member->lane, .process = member->process, .order = order};
}

/* Whether somebody is still going: the host's time has passed. */
static bool run_phase(struct rounds *rounds, uint64_t deadline) {
    bool beside = !rounds->alone, going = false;
    unsigned count = 0;
    struct member *running[rounds->count];
    for (struct member *member = rounds->members; member < rounds->members + rounds->count; member++) {
        if (!member->going) continue;
        struct order order = {.limit = least(rounds->edge, member->attention), .deadline = deadline, .frozen = beside, .polite = beside};
        rounds->stays[count] = stay_of(member, order);
        running[count++] = member;
    }
    stays_run(rounds->ledger, rounds->stays, count, rounds->threads, deadline);
    for (unsigned i = 0; i < count; i++) {
        if (rounds->stays[i].over) came(rounds, running[i], &rounds->stays[i]);
        going |= running[i]->going;
    }
    return going;
}

/* Who goes on next in a serial phase; NULL: nobody has stopped that has not been served. */
static struct member *next_stopped(struct rounds *rounds) {
    struct member *found = NULL;
    for (struct member *member = rounds->members; member < rounds->members + rounds->count; member++) {
        if (!takes_part(rounds, member) || member->served || member->status == MEMBER_READY) continue;
        if (!found || member->next < found->next) found = member;
    }
    return found;
}

/* One that yields in its slice waits that out. False: the host's time has passed. */
static bool run_slice(struct rounds *rounds, struct member *member, uint64_t deadline) {
    uint64_t end = least(rounds->edge, member->clock + rounds->slice);
    struct order order = {.limit = least(end, member->attention), .deadline = UINT64_MAX, .polite = true, .patient = true};
    struct stay *stay = rounds->stays;
    *stay = stay_of(member, order);
    stays_run(rounds->ledger, stay, 1, 1, deadline);
    if (!stay->over) return false;
    came(rounds, member, stay);
    member->going = false;
    member->served = member->status != MEMBER_CALLS;
    return true;
}

struct member *rounds_member(const struct rounds *rounds, unsigned pcpu) {
    for (struct member *member = rounds->members; member < rounds->members + rounds->count; member++)
        if (member->pcpu == pcpu) return member;
    return NULL;
}

static bool takes_errand(const struct member *member) { return member->core && errands_has_room(member->core); }

/* Who is not here, or has no room, is told by Python. */
static bool takes_errands(const struct rounds *rounds, const struct notification *notification) {
    for (unsigned i = 0; i < notification->targets; i++) {
        const struct member *member = rounds_member(rounds, notification->target[i].pcpu);
        if (member && member->status != MEMBER_GONE && !takes_errand(member)) return false;
    }
    return true;
}

bool rounds_bring(struct rounds *rounds, struct member *member, struct notice notice) {
    if (member->status == MEMBER_GONE) return true;
    if (!takes_errand(member)) return false;
    struct delivered *delivered = &rounds->delivered;
    uint64_t late = member->clock > notice.due ? member->clock - notice.due : 0;
    if (late) delivered->late++;
    else delivered->exact++;
    if (late > delivered->latest) delivered->latest = late;
    errands_put(member->core, notice);
    rounds_tell(rounds, member, notice.due);
    return true;
}

/* A turn of a member, as errands; false: its hypervisor is to be asked, for what is left of it, or Python has an error. */
static bool run_errand(struct rounds *rounds, struct member *member) {
    struct core *core = member->core;
    if (!core || !core->lent || member->mail) return false;
    rounds->unseen += OF_A_STAY;
    if (!errands_alone(core)) return false;
    struct notice_to notices[ERRAND_TARGETS];
    unsigned count = 0;
    if (member->reason >= 0) {
        struct notification *notification = errands_call(core, member->reason);
        if (notification && takes_errands(rounds, notification))
            errands_notify(core, member->reason, notification, notices), count = notification->targets;
        else if (notification || !errands_left(core, member->reason))
            return false;
        member->reason = -1;
    }
    bool goes_on;
    uint64_t next;
    if (!errands_settle(core, member->next, &goes_on, &next)) return false;
    rounds_turned(member, goes_on, clock_now(core), next);
    for (unsigned i = 0; i < count; i++) {
        struct member *target = rounds_member(rounds, notices[i].pcpu);
        if (target) rounds_bring(rounds, target, notices[i].notice); /* takes_errands() */
    }
    return true;
}

/* Whether so much of the host's time has passed, as far as it is looked at. */
static bool is_late(struct rounds *rounds, uint64_t deadline) {
    if (rounds->unseen < BETWEEN_LOOKS) return false;
    rounds->unseen = 0;
    return host_now() >= deadline;
}

int rounds_go(struct rounds *rounds, uint64_t until) {
    uint64_t deadline = host_now() + PATIENCE;
    rounds->unseen = 0;
    for (;;) {
        struct member *member;
        switch (rounds->phase) {
        case PHASE_NONE:
            bool done = begin_round(rounds, until);
            if (PyErr_Occurred()) return ROUNDS_ERROR;
            if (done) return ROUNDS_DONE;
            rounds->phase = PHASE_BEGIN;
            break;
        case PHASE_BEGIN:
            begin_phase(rounds);
            rounds->phase = PHASE_PARALLEL;
            break;
        case PHASE_PARALLEL:
            if (run_phase(rounds, deadline)) return PyErr_Occurred() ? ROUNDS_ERROR : ROUNDS_RECESS;
            if (PyErr_Occurred()) return ROUNDS_ERROR;
            rounds->phase = PHASE_SERIAL;
            break;
        case PHASE_SERIAL:
            member = next_stopped(rounds);
            if (member && (member->status == MEMBER_CALLS || member->status == MEMBER_ASLEEP)) {
                if (run_errand(rounds, member)) break;
                return PyErr_Occurred() ? ROUNDS_ERROR : (int)(member - rounds->members);
            }
            if (member) {
                bool over = run_slice(rounds, member, deadline);
                if (PyErr_Occurred()) return ROUNDS_ERROR;
                if (!over) return ROUNDS_RECESS;
                break;
            }
            rounds->phase = PHASE_NONE;
            for (member = rounds->members; member < rounds->members + rounds->count; member++)
                if (takes_part(rounds, member)) rounds->phase = PHASE_BEGIN;
            if (is_late(rounds, deadline)) return ROUNDS_RECESS;
            break;
        default: return ROUNDS_ERROR;
        }
    }
}

void rounds_turned(struct member *member, bool goes_on, uint64_t clock, uint64_t cycle) {
    member->status = goes_on ? MEMBER_READY : MEMBER_ASLEEP;
    member->printed = false; /* it has been asked, for that too */
    member->clock = clock;
    member->next = goes_on || cycle < clock ? clock : cycle;
    member->attention = goes_on ? cycle : NEVER;
}

void rounds_tell(struct rounds *rounds, struct member *member, uint64_t due) {
    if (member->status == MEMBER_GONE) return;
    if (member->status != MEMBER_ASLEEP) {
        member->attention = least(member->attention, due);
        rounds->fought |= due < member->clock;
        return;
    }
    if (due < member->clock) due = member->clock;
    member->next = least(member->next, due);
    /* Whoever is alone may now wait for the other: from here on it is a round like others. */
    if (rounds->phase == PHASE_NONE || !rounds->alone || member == rounds->alone || due >= rounds->edge) return;
    rounds->edge = least(rounds->edge, end_of_round(rounds, rounds->alone->clock));
}
