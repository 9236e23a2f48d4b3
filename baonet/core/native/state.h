/*
 * What the guest has brought a core to, beside the registers of the library's CPU: plain data without a pointer, complete
 * between two stays, so that a copy of it is all that there is to keep. tests/core/test_state.py holds that.
 */
#ifndef BAONET_STATE_H
#define BAONET_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"

#define EVENTS 1024 /* a power of two, and more than a block of guest code can note but of lines */

struct event {
    enum exit_reason reason;
    uint32_t number; /* of the interrupt */
    uint64_t value;  /* of LINE: sequence << 1 | level */
};

/* Who changes anything in here, or in struct arch_state, counts up there: what was kept by another version is not this. */
#define STATE_VERSION (5u << 16 | ARCH_STATE_VERSION)
struct state {
    uint32_t version;

    /* time: instructions, of which some are left; in virtual time cycles `skipped` by waiting and by what is paid for */
    int64_t left;
    uint64_t granted;
    uint64_t skipped;
    uint64_t seen;   /* the latest time that the guest knows: it has read it, or what it was told is from then */
    uint64_t latest; /* of the last record */
    uint64_t floor;  /* of the time that the guest sees; the most that it was ahead of the clock */
    uint64_t ahead;
    unsigned rest;   /* of the block that the guest was left in the midst of: instructions; 0: it stands at the start of one */
    bool waiting, outside; /* since the last WFI; since the last exit */
    bool told;             /* something, since it last went on */
    bool doorbell;         /* has rung, and nobody was told */

    struct arch_state arch;

    /* exceptions that the guest takes itself, in this life of it */
    uint64_t exceptions, spell, spell_began; /* instructions of the last spell of exceptions, and retired when it began */
    unsigned repeated;                       /* how often the last one came again */
    bool storm, storm_seen, storm_told;
    uint64_t interrupts, interrupts_began;     /* taken, and instructions retired when the spell of them began */
    bool interrupt_storm, storm_of_interrupts; /* there is one; it was the first storm of this life */

    uint64_t statistics[EXIT_ERROR];
    uint64_t native_exceptions, emulated_accesses, broadcasts, translated, invalidated, pages_taken;

    /* what the hypervisor has not heard yet */
    uint64_t exit[EXIT_FIELDS];
    enum exit_reason deferred; /* what the guest was left for, after the events; EXIT_NONE: nothing */
    uint64_t deferred_value;
    unsigned event_head, event_tail;
    struct event events[EVENTS];
};
_Static_assert(sizeof(struct state) - sizeof(struct arch_state) - (EXIT_ERROR + EXIT_FIELDS) * sizeof(uint64_t) == 16584,
               "another layout is another STATE_VERSION");
_Static_assert(EXIT_NONE == -1 && !EXIT_WFI && EXIT_BUDGET == 1 && EXIT_KICKED == 2, "baonet.hyp.cpu.Stay");

#endif
