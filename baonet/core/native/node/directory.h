/* What a home knows of the pages of a segment under the host's clock: which nodes may do what with them, and who waits. */
#ifndef BAONET_DIRECTORY_H
#define BAONET_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger.h"

/* A node of the island by a number of its own: 0 is home. */
#define MOST_MEMBERS 64u

struct directory_page {
    uint64_t readers;              /* members, where nobody may write; home is always one of them then */
    uint64_t awaited;              /* that have been told to give back, and have not yet */
    uint64_t wants[RIGHT_WRITE + 1]; /* members that wait, by the right */
    uint8_t writer;                /* by its number plus 1; 0: nobody may write */
    uint8_t served, right;         /* the same of whom the others are told to give back for, and what it gets */
    bool round;                    /* it gets that as the page goes round */
    uint8_t last;                  /* member that was served */
    uint8_t wrote;                 /* who wrote last and does no more, by its number plus 1 */
    uint8_t proofs;                /* in a row: who was let read what another had written was the next to write */
    uint8_t credit;                /* readers that are let write at once, before that is to be proved again */
};

#define HOME 0u /* the number of home among the members */

/* To a member: it has the right, or is to keep no more than that. */
enum say_kind { SAY_GRANT, SAY_RECALL };
struct say {
    uint8_t kind, member, right;
    bool carries; /* with the page's bytes: those that it has, if any, are not the page's */
    bool round;   /* the page goes round: who has it may give it back unasked */
};
/* Grants and recalls of all members, once by a call, and once more by what home does when it is told (coherent.c). */
struct says {
    unsigned count;
    struct say each[6 * MOST_MEMBERS];
};

/* Nobody has had the page but home, which may write to it. */
void directory_begin(struct directory_page *page);

/* A member waits for a right. */
void directory_want(struct directory_page *page, unsigned member, enum right right, struct says *says);

/*
 * It keeps no more than the right. Who may write may keep nothing unasked, and what was to be left of it as well. False: it was not
 * asked to, is to keep less, or has no more anyway.
 */
bool directory_gave(struct directory_page *page, unsigned member, enum right right, struct says *says);

/* It is no more. What it has not given back is lost with it: home has the bytes that were the page's before. */
void directory_lost(struct directory_page *page, unsigned member, struct says *says);

/* What a member has, or is on its way to it, or back. */
enum right directory_right(const struct directory_page *page, unsigned member);

/* The member is the next to write it. */
bool directory_goes_round(const struct directory_page *page, unsigned member);

/* Nobody waits for it. */
bool directory_rests(const struct directory_page *page);

#endif
