/* What the processes of a node share of each of its vCPUs. */
#ifndef BAONET_SLOT_H
#define BAONET_SLOT_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "futex.h"

/*
 * One per vCPU in memory that the processes of a node share: a page for those of its VM, and one for all that may have
 * something to say to it. `kick` is 0, or more than any budget when somebody wants the vCPU's attention: the code at the
 * start of every translated block leaves when the budget is less than it. `bell` wakes who sleeps for want of anything to do (node/bell.c). `news` has a bit for each pcpu: something is in its ring to
 * this one that nobody has looked at.
 */
#define KICK_NOW 0x7ffffff0
#define KICK_DOORBELL 1
#define KICK_MAINTENANCE 2
#define PENDING_PAGES 24
#define PENDING_RECALLS 64
#define PENDING_REQUESTS 32
#define SLOT_PAGE 0x1000
#define MAX_PCPUS 4096
struct slot {
    int32_t budget;
    _Atomic uint32_t in_guest;
    _Atomic uint32_t lock;
    _Atomic uint64_t asked;
    _Atomic uint64_t done;
    uint32_t tlb_all;
    uint32_t code_all;
    uint32_t tlb_pages;
    uint32_t code_count;
    uint64_t tlb_page[PENDING_PAGES]; /* virtual page | map of MMU indexes in the low 12 bits */
    uint64_t code[PENDING_PAGES]; /* RAM offset | what is to be done there (broadcast.c) */
    /* Of pages that other nodes want (rights.c): */
    _Atomic uint64_t recalls_asked, recalls_done;
    uint32_t recall_count, recall_all;
    struct recall {
        uint32_t page;
        uint16_t segment;
        bool all; /* loads and fetches as well as stores */
    } recalls[PENDING_RECALLS];
    _Atomic uint32_t calls; /* the courier is to be called when something was served */
    _Atomic uint32_t waits; /* amid an instruction, and is to be woken by `pokes` */
    _Atomic uint32_t pokes;
    /* What other vCPUs of the VM ask of the model of this one's memory system (siblings.c): in windows before `window`, and in it. */
    struct requests {
        uint64_t request[PENDING_REQUESTS];
        uint32_t count;
        uint32_t all; /* there was no room for more: all translations and all code */
    } asked_before, asked_now;
    uint64_t window;
    /* The host takes a load for one of the store before it if they are equal in the low 12 bits: not those of `budget`. */
    char elsewhere[64] __attribute__((aligned(SLOT_PAGE)));
    _Atomic int32_t kick;
    _Atomic uint32_t bell __attribute__((aligned(64))); /* not where the kick word is, which every block looks at */
    _Atomic uint32_t rung, rung_by; /* how often others had something in a ring, and who had last; */
    _Atomic uint32_t woken;         /* and how often it slept then */
    _Atomic uint64_t news[MAX_PCPUS / 64] __attribute__((aligned(64)));
} __attribute__((aligned(SLOT_PAGE)));
_Static_assert(sizeof(struct slot) == 2 * SLOT_PAGE, "baonet.memory.node: the second page is what others write");

static inline void slot_lock(struct slot *slot) {
    for (unsigned spins = 0; atomic_exchange_explicit(&slot->lock, 1, memory_order_acquire); spins++)
        if (spins > 200) sched_yield();
}
static inline void slot_unlock(struct slot *slot) { atomic_store_explicit(&slot->lock, 0, memory_order_release); }

/* A core that waits amid an instruction is to look around. It says that it waits before it looks for the last time. */
static inline void slot_poke(struct slot *slot) {
    if (atomic_load(&slot->waits)) futex_ring(&slot->pokes);
}

/* A doorbell that has been rung is as if it had not. */
static inline void slot_answer(struct slot *slot) {
    int32_t rung = KICK_NOW | KICK_DOORBELL;
    if (atomic_load(&slot->kick)) atomic_compare_exchange_strong(&slot->kick, &rung, 0);
}

/* At the start of its next block, whoever's slot it is: KICK_DOORBELL or KICK_MAINTENANCE. */
static inline void slot_kick(struct slot *slot, int32_t why) { atomic_fetch_or(&slot->kick, KICK_NOW | why); }

#endif
