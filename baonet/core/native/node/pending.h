/* What pcpus of this node are asked through their slots, on behalf of others that wait until they have done it. */
#ifndef BAONET_PENDING_H
#define BAONET_PENDING_H

#include "courier.h"
#include "maintenance.h"

/* Pcpus here that have to do something: of a page, let go of it; else maintenance, for `from`, which is told its own ticket. */
struct pending {
    struct pending *next;
    struct view *from;
    uint64_t ticket;
    uint32_t pcpu;
    uint16_t segment;
    uint32_t page;
    bool all;
    struct maintenance asked;
    unsigned count;
    struct {
        uint16_t pcpu;
        uint64_t ticket;
    } pcpus[];
};

/* Of so many pcpus. NULL: no memory. */
struct pending *pending_new(unsigned most);
void pending_add(struct pending *pending, unsigned pcpu);

/* Whether one of them has been asked now. */
bool pending_asked(struct part *part, struct pending *pending, unsigned i);

/* Asks those that have not been asked yet; false: all have done it. Who has not is to call when it has. */
bool pending_waits(struct part *part, struct pending *pending);

/* The process of a pcpu is no more: it does nothing, and keeps nothing. */
bool pending_has_ended(const struct part *part, unsigned pcpu);

/* Something could not be done at once, as a process here has a lock and does not run: it is tried again. */
void pending_again(struct part *part);

#endif
