/* A page of an island under the host's clock, as the courier of a node has it. */
#ifndef BAONET_PLACE_H
#define BAONET_PLACE_H

#include "courier.h"
#include "directory.h"
#include "holder.h"

struct place {
    struct courier *courier;
    struct part *part;
    struct table *table;
    uint16_t segment;
    uint32_t page;
    struct says *says; /* of its directory, that somebody is amid: he goes on with what is added; else NULL */
};

static inline bool at_home(const struct place *at) { return at->courier->node == at->part->home; }
static inline struct view *member_view(const struct place *at, unsigned member) { return &at->part->views[member - 1]; }
static inline unsigned member_of(const struct part *part, const struct view *view) { return (unsigned)(view - part->views) + 1; }
static inline struct holder_page *held(const struct place *at) { return &at->table->held[at->page]; }
static inline struct directory_page *directory(const struct place *at) { return &at->table->directory[at->page]; }
static inline struct ownership *entry(const struct place *at) { return &at->table->entries[at->page]; }

/* `table` is NULL: there is no such page. */
struct place place_of(struct courier *courier, struct part *part, unsigned segment, uint32_t page);

/* Of a pcpu here, if it is what that asked for last; else NULL. */
struct lane *place_lane(const struct place *at, unsigned pcpu);

/* What this node has of it is what its cores see. */
void place_publish(const struct place *at);

/* A frame of it, with its bytes if `how` has CARRIES. */
void place_say(const struct place *at, struct view *view, enum frame_kind kind, enum right right, unsigned how, unsigned count);

/* Bytes that have come; none: zeroes. False: they are no page. */
bool place_put(const struct place *at, const uint8_t *bytes, size_t length);

#define CARRIES 1u
#define GOES_ROUND 2u
struct page_frame {
    uint32_t page;
    uint16_t segment, life, count;
    uint8_t right, how; /* CARRIES, GOES_ROUND */
};

#endif
