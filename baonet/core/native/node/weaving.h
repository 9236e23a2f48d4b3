/* Clusters whose memory takes time, in an island that is on several nodes: weaving.c. */
#ifndef BAONET_WEAVING_H
#define BAONET_WEAVING_H

#include "courier.h"
#include "memsys.h"

/* A cluster of the island, as one node has it. */
struct loom {
    struct memsys_weave weave;
    unsigned first; /* its first pcpu */
    unsigned owners[MEMSYS_PARTIES];
    struct {
        uint64_t window;
        uint32_t count;
    } told[MEMSYS_PARTIES]; /* of the log of each that is here: what home has been told */
};

/* Python's: a cluster in a buffer that stays exported. What is wrong with it; NULL: nothing. */
const char *weaving_add(struct part *part, const struct memsys_weave *weave, unsigned first, const unsigned owners[]);
void weaving_end(struct part *part);

/* A pcpu that is here stands: what it has asked the second level for goes home, before anything else that is said of it. */
void weaving_tell(struct part *part, struct view *home, unsigned pcpu);

/* At home: if who conducts waits for it, what all have asked for in the window that ends goes to all other nodes. */
void weaving_end_window(struct part *part);

/* Before anything else is said to a node: what pcpus have done with lines that others can reach, and what they have asked of others. */
void weaving_ship(struct part *part, struct view *view);

bool weaving_take(const struct courier *courier, struct part *part, struct view *from, uint16_t kind, const uint8_t *body, size_t length);

#endif
