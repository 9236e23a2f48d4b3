/*
 * Coherence of the first levels of a cluster: of each line that several of its pcpus can reach, which of them have it, and which
 * has written to it last, as the duplicate tags of the SCU tell, by MOESI (DDI 0500D 7.2). A line that no other has dirty comes from
 * the second level if that has it, and else from who has it (UG1085, L2 memory subsystem).
 *
 * A word tells of a line, in the cluster's memory. It changes in three ways:
 *
 * - by stores, while their pcpu has the exclusive right to the page: nobody else reads or writes any word of it;
 * - by loads, while none of those that may read the page may write to it: each sets its own bit, and what it looks at of the word are
 *   its own bit and what the others do not change then;
 * - at a window's edge, while all stand: lines that have left a first level since (memsys_coherence_settle), or that another has
 *   cleaned or flushed by their address (memsys_coherence_hear).
 *
 * So what anybody finds follows from who had which page when, and not from who was first beside others. A pcpu whose bit another
 * has cleared has lost its line, and finds that out by the word when it next looks, or at the window's edge: its tag, which is its
 * own, stays until then. What it has written back of it before that edge was another's, and goes nowhere (merge.c).
 *
 * Whatever a pcpu does with such a line it also writes down (struct memsys_moves). From that, and from nothing that is in its caches,
 * follow what is settled at a window's edge and all its words: where somebody else has words of his own of the same cluster, he comes
 * to the same ones by repeating all moves (memsys_coherence_repeat). Those of different parties may come to him in any order: a move tells
 * the line's turn, which each store begins, so of what he gets late he knows what has been overwritten since.
 *
 * Left out: that lines move between clusters; that code and descriptors of translation tables may be another first level's dirty
 * lines (they come from the second level, and DC CVAU cleans one's own); that a line which was lost leaves its way free before the
 * window's edge, and one that others clean or flush before that; and that a line goes to and fro
 * as often as its cores like: it does so as often as its page changes hands (docs/virtual-time.md), the rest of a slice is one visit.
 */
#ifndef BAONET_MEMSYS_COHERENCE_H
#define BAONET_MEMSYS_COHERENCE_H

#include "inside.h"
#include "window.h"

/*
 * Bits of a word: holders, by party; the party whose line is dirty, plus 1 (it answers for the line, which others may have too);
 * whether somebody had it at the last window's edge, clean or dirty; whether anybody ever had. 0: nobody has.
 */
#define COHERENCE_HOLDER(party) ((uint64_t)1 << (party))
#define COHERENCE_HOLDERS 0xffffffffu
#define COHERENCE_OWNER_SHIFT 32
#define COHERENCE_OWNER ((uint64_t)0x3f << COHERENCE_OWNER_SHIFT)
#define COHERENCE_HELD ((uint64_t)1 << 38)
#define COHERENCE_KNOWN ((uint64_t)1 << 39)
#define COHERENCE_SETTLED ((uint64_t)1 << 40) /* amid memsys_coherence_settle */
#define COHERENCE_TURN_SHIFT 41 /* above: stores of the line that have been noted in this window */
#define COHERENCE_TURN (~(uint64_t)0 << COHERENCE_TURN_SHIFT)

/* What a party has done with a line: what its first level has of it then. In a move, 3 bits below the line. */
enum move {
    MOVE_READ,    /* a clean copy */
    MOVE_WRITTEN, /* the line, dirty; nobody else has it */
    MOVE_PASSED,  /* nothing: a store has passed by, and nobody has it */
    MOVE_CLEANED, /* what it had, clean now */
    MOVE_LEFT,    /* nothing any more */
    MOVE_TAKEN,   /* as MOVE_WRITTEN, and others had it */
    MOVE_CLEANS,  /* nothing that is said here: all are to have it clean, */
    MOVE_FLUSHES, /* or not at all (DC CVAC; DC IVAC, CIVAC) */
    MOVES
};
#define MOVE_BITS 3
#define MOVE_TURN_SHIFT (MOVE_BITS + MEMSYS_ADDRESS_BITS - MEMSYS_LINE_SHIFT) /* above: the line's turn, of a store with it */

/* What these do for lines that others can reach; the others' are left to what is beside them. */
void memsys_coherence_look(const struct memsys_view *view, const struct place *place);
bool memsys_coherence_load(const struct memsys_view *view, const struct place *place, bool coming, unsigned *total);
bool memsys_coherence_store(const struct memsys_view *view, const struct place *place, bool keeps, unsigned *total);

/* The first level has not the line any more that is at this place, if another has written to it since it came. */
static inline void coherence_look(const struct memsys_view *view, const struct place *place) {
    if (place->shared) memsys_coherence_look(view, place);
}

/* A load that has missed. True: the line comes from another first level; adds the cycles to *total. `coming`: it was asked for ahead. */
static inline bool coherence_load(const struct memsys_view *view, const struct place *place, bool coming, unsigned *total) {
    return place->shared && memsys_coherence_load(view, place, coming, total);
}

/*
 * Before a store: others have not the line any more. True: they had, and so one that has missed has it from them; adds the cycles to
 * *total. `keeps`: it is this one's, dirty, from here on; else it passes by.
 */
static inline bool coherence_store(const struct memsys_view *view, const struct place *place, bool keeps, unsigned *total) {
    return place->shared && memsys_coherence_store(view, place, keeps, total);
}

/*
 * A line has left a place of the first level, or is clean in it: another of its places may still have it, by another virtual address.
 * Whether it is one that several can reach, also if another has written to it since it came.
 */
bool memsys_coherence_leaves(const struct memsys_view *view, uint64_t line);

/* A line is clean now, or gone, also where others may have it: they hear of it at the window's edge. */
void memsys_coherence_maintain(const struct memsys_view *view, const struct place *place, bool drops);

#endif
