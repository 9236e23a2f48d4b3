/* What keeps the parts of an island that several nodes have alike: courier.c. */
#ifndef BAONET_COURIER_H
#define BAONET_COURIER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pthread.h>
#include <stdbool.h>

#include "ledger.h"
#include "link.h"
#include "slot.h"

enum frame_kind {
    FRAME_LOG,   /* what the ledger has had written to it since the last */
    FRAME_ORDER, /* a core is to run */
    FRAME_CAME,  /* and has */
    FRAME_GET,   /* the bytes of pages are wanted */
    FRAME_PAGES,
    FRAME_SAYS,  /* bytes from a process to one of the other node */
    FRAME_ENDED, /* it says nothing more */
    FRAME_BEAT,  /* this node lives */
    FRAME_TOOK,  /* so many bytes of what was said have been taken by the process that they were for */
    FRAME_LOGGED, /* what a pcpu has asked the second level of its cluster for (weaving.c) */
    FRAME_EDGE,  /* a window of a cluster has ended */
    FRAME_MOVED, /* what a pcpu has done with lines of the cluster that others can reach */
    FRAME_ASKED, /* what is asked of the model of a pcpu's memory system */
    /* under the host's clock: */
    FRAME_TIME,   /* what time it is there: what follows is not from later */
    FRAME_ASK,    /* what time is it at home? */
    FRAME_TELL,
    FRAME_WANT,   /* a right to a page */
    FRAME_GRANT,
    FRAME_RECALL, /* a right is to be given back */
    FRAME_GAVE,
    FRAME_MAINTAIN, /* maintenance of TLBs, of a pcpu */
    FRAME_MAINTAINED,
    FRAME_RING,   /* bytes out of a ring between two pcpus */
    FRAME_ROOM,   /* so many are in the ring there */
    FRAME_KINDS
};
extern const char *const frame_names[FRAME_KINDS];
#define NOTHING_WRONG 0xffffu /* in the place of a kind: who is lost has said nothing that cannot be */

struct loom;
struct directory_page;
struct holder_page;
struct table {
    struct ownership *entries; /* NULL: the segment is not here */
    uint8_t *bytes;
    uint32_t pages; /* that have an owner of their own: 1 of a device, whose state is more */
    bool device;
    uint32_t *brought;  /* of each page, how often */
    uint32_t next, run; /* reads ahead: the page that would come next, and how many did so */
    /* Under the host's clock (coherent.c): */
    struct directory_page *directory; /* at home */
    struct holder_page *held;
    uint16_t life; /* how often its bytes have been set anew: frames of an earlier one are of no use */
    _Atomic bool renewed; /* they have been, and the courier is to begin with them */
};

/* Who waits for a page: a core here, or another node. */
struct waiting {
    uint16_t segment, count;
    uint32_t page;
    int node; /* -1: */
    unsigned pcpu;
};

struct peer {
    unsigned node;
    struct link link;
    uint64_t heard;
    bool lost;
};

/*
 * The two ends of a channel between two processes on different nodes are relays. What the one process has said and the other has
 * not taken is bounded: then no more of it is read, and who says it waits as for a socket of its own host.
 */
struct relay {
    struct link link;
    unsigned pcpu; /* the crew's */
    struct peer *peer;
    bool ended; /* the other node's end has been told so */
    uint32_t ahead; /* bytes that were said, and of which the other node has not told that they were taken */
    uint32_t taken; /* bytes that were taken here, of which the other node has not been told */
};
#define WINDOW (1u << 18)  /* bytes that a relay may be ahead */
#define TELLING (WINDOW / 2) /* that are told together: who is told of fewer has room for more */

/* An island, as one node has it. */
struct part {
    uint16_t number;
    struct ledger *ledger;
    struct slot *slots;
    unsigned lanes; /* pcpus of the machine */
    unsigned home;  /* the node that conducts */
    uint16_t *members; /* its pcpus, which are few among those of a large machine */
    unsigned member_count;
    struct timing *timing; /* NULL: in virtual time */
    uint16_t *nodes, *processes; /* of each pcpu: its node, NOWHERE if it is not of the island; the first in its process */
    unsigned table_count;
    struct table *tables; /* by segment */
    struct view {         /* what a node has been sent */
        struct peer *peer;
        uint64_t sent;   /* of the journal */
        uint64_t *known; /* of each lane */
        uint64_t *moved; /* of each pcpu, how many of its moves (weaving.c); NULL: there are no clusters whose memory takes time */
        unsigned asked;  /* maintenance, by it, that has not been done */
    } *views;            /* at home of all other nodes of the island, else of that */
    unsigned view_count;
    struct waiting *waiting;
    unsigned waiting_count;
    struct relay *relays;
    unsigned relay_count;
    struct pending *pending; /* that pcpus here are to do before others go on */
    struct deferred { /* pages that go when what was granted has been used */
        uint16_t segment;
        uint32_t page;
    } *deferred;
    unsigned deferred_count;
    uint64_t again; /* when what could not be done at once is tried again; 0: there is nothing */
    uint64_t *granted; /* to each pcpu here: when it was last let use what it had asked for */
    _Atomic uint8_t *ended; /* of each pcpu: 1: its process here is no more, 2: and that was seen to */
    _Atomic bool told; /* another thread has said such a thing, or that a table is renewed */
    struct loom *looms; /* clusters whose memory takes time */
    unsigned loom_count;
    struct ringing *ringing; /* the rings between pcpus here and on other nodes: ringing.c; NULL: none */
};
#define NOWHERE 0xffffu
#define CONGESTED (1u << 20) /* bytes that wait for a node: nothing more is taken from processes that speak to it */
#define MOST_WAITING (64u << 20) /* bytes for who takes nothing: whoever makes it more is lost */
#define GUEST_PAGE 4096u

struct courier {
    PyObject_HEAD
    unsigned node;
    int epoll, bell, told, timer;
    unsigned peer_count, part_count;
    struct peer *peers;
    struct part *parts;
    PyObject *kept; /* the buffers that the pointers point into */
    pthread_t thread;
    bool begun;
    _Atomic bool quits; /* looked at with the next call */
    _Atomic uint64_t brought, given, orders; /* pages; stays */
    _Atomic uint64_t held; /* bytes for which rings here have no room */
    uint64_t alarm; /* that the timer is set to */
    uint64_t patience; /* for so long it looks for more before it sleeps */
    uint64_t limit, beats; /* after which a peer that says nothing is lost; when the next beat is due */
};

/* What one part does. None of these may be given anything of a peer that has not been checked: false, it is wrong. */
bool part_take(struct courier *courier, struct part *part, struct peer *peer, uint16_t kind, const uint8_t *body, size_t length);

/* A process of this node has asked for something of a pcpu. */
void part_called(struct courier *courier, struct part *part, unsigned pcpu);

bool part_is_here(const struct courier *courier, const struct part *part, unsigned pcpu);

/* To where a pcpu of another node is: by home, if this is not home. NULL: it is on no node that this one knows. */
struct view *part_way_to(const struct courier *courier, struct part *part, unsigned pcpu);

/* Before anything else is said to a node: what it has not yet been told. */
void part_ship(struct part *part, struct view *view);

/* What a process has said to one of another node; nothing: it has ended. */
void part_relay(struct part *part, struct relay *relay, const uint8_t *bytes, size_t length);

/* Puts a frame behind what the ledger has. */
void part_say(struct part *part, struct view *view, uint16_t kind, const void *body, size_t length);

/* Who says nothing more. */
void part_lost(struct courier *courier, struct part *part, struct peer *peer);

/* A process has taken so many bytes of what one of another node has said; or nobody will. */
void part_took(struct part *part, struct relay *relay, size_t length);

/* All nodes have had the same bytes put into the pages of a segment: who owns one has it. */
void part_reset(struct courier *courier, struct part *part, struct table *table);

#define COURIER_NOBODY 0xfffeu /* a call for no pcpu */
#define COURIER_BELL 0u      /* what its epoll calls `bell`, */
#define COURIER_TIMER 1u     /* and `timer` */

/* Starts its thread; what errno would be. */
int courier_begin(struct courier *courier);

/* NULL: it has no such island. */
struct part *courier_part(struct courier *courier, unsigned number);

#endif
