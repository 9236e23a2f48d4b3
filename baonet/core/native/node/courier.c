/*
 * The courier of a node: one thread, without Python, that has the streams to the couriers of other nodes. It is called by cores
 * of this node over a socket (ledger_call), reads what other nodes say, and passes on what processes of islands that are split
 * say to each other. Before it sleeps it looks for a while whether there is more, as to be woken takes as long as all the rest,
 * and lets others have the host's core meanwhile: those that it works for need it, and are slower without (measured on two).
 *
 * A peer that says what cannot be, or ends, is lost: that is told on `told`, by its number and what it said.
 */
#define _GNU_SOURCE
#include "courier.h"

#include "coherent.h"
#include "patience.h"
#include "pulse.h"
#include "ringing.h"
#include "timing.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EVENTS 64
#define CALLS 256 /* that are answered before others have their turn */

enum { OF_ITSELF, OF_PEER, OF_RELAY };
#define KEY(kind, part, index) ((uint64_t)(kind) << 48 | (uint64_t)(part) << 32 | (uint64_t)(index))

static void add(struct courier *courier, struct link *link, uint64_t key) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = key};
    link->watched = EPOLLIN;
    epoll_ctl(courier->epoll, EPOLL_CTL_ADD, link->fd, &event);
}

/* Nothing: not even that it has ended, of which epoll would tell again and again. */
static void watch(struct courier *courier, struct link *link, uint64_t key, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u64 = key};
    if (link->watched == events) return;
    epoll_ctl(courier->epoll, !events ? EPOLL_CTL_DEL : link->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, link->fd, &event);
    link->watched = events;
}

const char *const frame_names[FRAME_KINDS] = {
    [FRAME_LOG] = "LOG", [FRAME_ORDER] = "ORDER", [FRAME_CAME] = "CAME", [FRAME_GET] = "GET", [FRAME_PAGES] = "PAGES",
    [FRAME_SAYS] = "SAYS", [FRAME_ENDED] = "ENDED", [FRAME_BEAT] = "BEAT", [FRAME_TOOK] = "TOOK", [FRAME_LOGGED] = "LOGGED", [FRAME_EDGE] = "EDGE",
    [FRAME_MOVED] = "MOVED", [FRAME_ASKED] = "ASKED", [FRAME_TIME] = "TIME",
    [FRAME_ASK] = "ASK", [FRAME_TELL] = "TELL", [FRAME_WANT] = "WANT", [FRAME_GRANT] = "GRANT", [FRAME_RECALL] = "RECALL",
    [FRAME_GAVE] = "GAVE", [FRAME_MAINTAIN] = "MAINTAIN", [FRAME_MAINTAINED] = "MAINTAINED", [FRAME_RING] = "RING", [FRAME_ROOM] = "ROOM",
};

static void lose(struct courier *courier, struct peer *peer, unsigned wrong) {
    uint16_t told[] = {(uint16_t)peer->node, (uint16_t)wrong};
    if (peer->lost) return;
    peer->lost = true;
    link_free(&peer->link);
    for (unsigned i = 0; i < courier->part_count; i++) part_lost(courier, &courier->parts[i], peer);
    if (write(courier->told, told, sizeof told) != sizeof told) return; /* nobody wants to know any more */
}

static void called(struct courier *courier, unsigned pcpu) {
    for (unsigned i = 0; i < courier->part_count; i++)
        if (pcpu < courier->parts[i].lanes) part_called(courier, &courier->parts[i], pcpu);
}

static void answer_missed(struct courier *courier) {
    for (unsigned i = 0; i < courier->part_count; i++) {
        struct part *part = &courier->parts[i];
        if (!ledger_has_missed(part->ledger)) continue;
        for (unsigned j = 0; j < part->member_count; j++) part_called(courier, part, part->members[j]);
    }
}

/*
 * False: it is to end. Processes of guests can say anything there: each call is a packet of its own, so nobody else's is taken
 * for another, and that it ends is not for a call to say.
 */
static bool answer_calls(struct courier *courier) {
    uint16_t pcpu;
    for (unsigned i = 0; i < CALLS && recv(courier->bell, &pcpu, sizeof pcpu, MSG_DONTWAIT) == sizeof pcpu; i++) called(courier, pcpu);
    if (atomic_load(&courier->quits)) return false;
    answer_missed(courier);
    return true;
}

struct part *courier_part(struct courier *courier, unsigned number) {
    for (unsigned i = 0; i < courier->part_count; i++)
        if (courier->parts[i].number == number) return &courier->parts[i];
    return NULL;
}

static void hear(struct courier *courier, struct peer *peer) {
    if (peer->lost) return;
    bool open = link_read(&peer->link), wrong = false;
    const struct head *head;
    struct head copy;
    peer->heard = pulse_now();
    size_t at = 0;
    while ((head = link_frame(&peer->link, &at, &wrong))) {
        memcpy(&copy, head, sizeof copy);
        if (copy.kind == FRAME_BEAT) continue;
        struct part *part = courier_part(courier, copy.island);
        wrong = !part || !part_take(courier, part, peer, copy.kind, (const uint8_t *)head + sizeof copy, copy.length);
        if (wrong) break;
    }
    if (wrong && !head) memcpy(&copy, peer->link.in.data + at, sizeof copy); /* it is too long */
    if (wrong || !open)
        lose(courier, peer, wrong ? copy.kind : NOTHING_WRONG);
    else
        link_done(&peer->link, at);
}

static void pass_on(struct part *part, struct relay *relay) {
    uint8_t bytes[65536];
    size_t room = WINDOW - relay->ahead;
    if (relay->link.fd < 0 || !room) return;
    ssize_t come = recv(relay->link.fd, bytes, room < sizeof bytes ? room : sizeof bytes, MSG_DONTWAIT);
    if (come > 0) {
        part_relay(part, relay, bytes, (size_t)come);
    } else if (!come || (errno != EAGAIN && errno != EINTR)) {
        part_relay(part, relay, bytes, 0);
        link_free(&relay->link);
    }
}

static void flush_relay(struct part *part, struct relay *relay) {
    size_t before = relay->link.out.length;
    if (relay->link.fd < 0) return;
    if (before && !link_flush(&relay->link)) relay->link.out.length = 0; /* it has ended: what it said before is read still */
    part_took(part, relay, before - relay->link.out.length);
    if (relay->ended && !relay->link.out.length) link_free(&relay->link);
}

/* Whether it is lost now. */
static bool flush_peer(struct courier *courier, struct peer *peer, uint64_t key) {
    if (peer->lost) return false;
    if (peer->link.failed || (peer->link.out.length && !link_flush(&peer->link)) || peer->link.out.length > MOST_WAITING)
        lose(courier, peer, NOTHING_WRONG);
    else
        watch(courier, &peer->link, key, EPOLLIN | (link_wants_room(&peer->link) ? EPOLLOUT : 0));
    return peer->lost;
}

static void watch_relay(struct courier *courier, struct relay *relay, uint64_t key) {
    if (relay->link.fd < 0) return;
    bool held = relay->peer->link.out.length > CONGESTED || relay->ahead == WINDOW, waits = relay->link.out.length > 0;
    watch(courier, &relay->link, key, (held ? 0 : EPOLLIN) | (waits ? EPOLLOUT : 0));
}

/*
 * What waits goes where there is room, and who has too much waiting for him is not helped to more. Processes first: what they
 * have taken is told to nodes. Whether somebody was lost.
 */
static bool flush(struct courier *courier) {
    bool loses = false;
    for (unsigned i = 0; i < courier->part_count; i++)
        for (unsigned j = 0; j < courier->parts[i].relay_count; j++) flush_relay(&courier->parts[i], &courier->parts[i].relays[j]);
    for (unsigned i = 0; i < courier->peer_count; i++) loses |= flush_peer(courier, &courier->peers[i], KEY(OF_PEER, 0, i));
    for (unsigned i = 0; i < courier->part_count; i++)
        for (unsigned j = 0; j < courier->parts[i].relay_count; j++)
            watch_relay(courier, &courier->parts[i].relays[j], KEY(OF_RELAY, i, j));
    return loses;
}

/* That this node lives, and who of the others says nothing. A time in which nobody looked makes nobody late. */
static void beat(struct courier *courier) {
    uint64_t time = pulse_now(), step = courier->limit / BEATS;
    if (time < courier->beats) return;
    bool late = time - courier->beats > step;
    for (unsigned i = 0; i < courier->peer_count; i++) {
        struct peer *peer = &courier->peers[i];
        if (peer->lost) continue;
        if (late) peer->heard = time;
        if (time - peer->heard > courier->limit)
            lose(courier, peer, NOTHING_WRONG);
        else if (!peer->link.out.length && link_begin(&peer->link, FRAME_BEAT, 0, 0))
            link_end(&peer->link, 0);
    }
    courier->beats = time + step;
    answer_missed(courier); /* a host without memory has no room in a socket that is empty */
    for (unsigned i = 0; i < courier->part_count; i++) ringing_look(courier, &courier->parts[i]);
}

/* With what had to stop: whether there is something to be written now. */
static bool go_on(struct courier *courier) {
    bool goes = false;
    for (unsigned i = 0; i < courier->part_count; i++) goes |= ringing_go_on(courier, &courier->parts[i]);
    return goes;
}

/* When there is something to do, whatever comes. */
static uint64_t next(const struct courier *courier) {
    uint64_t first = courier->beats;
    for (unsigned i = 0; i < courier->part_count; i++) {
        uint64_t due = timing_due(&courier->parts[i]), again = coherent_due(&courier->parts[i]);
        if (due < first) first = due;
        if (again < first) first = again;
    }
    return first;
}

static void ask(struct courier *courier) {
    uint64_t time = pulse_now();
    for (unsigned i = 0; i < courier->part_count; i++)
        if (timing_due(&courier->parts[i]) <= time) timing_ask(&courier->parts[i]);
}

static bool has_more(const struct courier *courier) {
    for (unsigned i = 0; i < courier->peer_count; i++)
        if (courier->peers[i].link.hidden) return true;
    return false;
}

/* epoll_wait counts in milliseconds. */
static void set_alarm(struct courier *courier, uint64_t due) {
    if (courier->alarm == due) return;
    courier->alarm = due;
    struct itimerspec time = {.it_value = {.tv_sec = (time_t)(due / 1000000000), .tv_nsec = (long)(due % 1000000000)}};
    timerfd_settime(courier->timer, TFD_TIMER_ABSTIME, &time, NULL);
}

static int look(struct courier *courier, struct epoll_event *events) {
    uint64_t began = pulse_now(), due = next(courier), until = began + courier->patience < due ? began + courier->patience : due;
    bool rests = began < due && !has_more(courier);
    int count;
    while (!(count = epoll_wait(courier->epoll, events, EVENTS, 0)) && rests && pulse_now() < until) sched_yield();
    if (!count && rests) {
        set_alarm(courier, due);
        count = epoll_wait(courier->epoll, events, EVENTS, -1);
    }
    if (rests) patience_learn(&courier->patience, pulse_now() - began);
    return count;
}

/* Until it is to end. */
static void live(struct courier *courier) {
    struct epoll_event events[EVENTS];
    courier->beats = pulse_now();
    for (unsigned i = 0; i < courier->peer_count; i++) courier->peers[i].heard = courier->beats;
    for (;;) {
        int count = look(courier, events);
        for (int i = 0; i < count; i++) {
            unsigned kind = (unsigned)(events[i].data.u64 >> 48), part = (unsigned)(events[i].data.u64 >> 32 & 0xffff);
            unsigned index = (unsigned)events[i].data.u64;
            if (events[i].data.u64 == COURIER_BELL && !answer_calls(courier)) return;
            bool reads = events[i].events & ~(uint32_t)EPOLLOUT;
            if (!reads && !(kind == OF_PEER && courier->peers[index].link.reads_when_writable)) continue;
            if (kind == OF_PEER) hear(courier, &courier->peers[index]);
            if (kind == OF_RELAY) pass_on(&courier->parts[part], &courier->parts[part].relays[index]);
        }
        for (unsigned i = 0; i < courier->peer_count; i++)
            if (courier->peers[i].link.hidden) hear(courier, &courier->peers[i]);
        beat(courier);
        for (unsigned i = 0; i < courier->part_count; i++) coherent_look(courier, &courier->parts[i]);
        ask(courier);
        while (flush(courier) || go_on(courier)) continue; /* others are told of who is lost */
    }
}

static void *life(void *argument) {
    struct courier *courier = argument;
    live(courier);
    for (unsigned i = 0; i < courier->part_count; i++) {
        struct part *part = &courier->parts[i];
        ledger_desert(part->ledger, part->lanes);
        for (unsigned j = 0; j < part->lanes; j++) slot_poke(&part->slots[j]);
    }
    return NULL;
}

int courier_begin(struct courier *courier) {
    for (unsigned i = 0; i < courier->peer_count; i++) add(courier, &courier->peers[i].link, KEY(OF_PEER, 0, i));
    for (unsigned i = 0; i < courier->part_count; i++)
        for (unsigned j = 0; j < courier->parts[i].relay_count; j++)
            add(courier, &courier->parts[i].relays[j].link, KEY(OF_RELAY, i, j));
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&courier->thread, NULL, life, courier);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}
