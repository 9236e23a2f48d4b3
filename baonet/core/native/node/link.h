/* A stream of frames between the couriers of two nodes, or of bytes to a process of this one. What is not taken at once waits. */
#ifndef BAONET_LINK_H
#define BAONET_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data;
    size_t length, capacity;
};
struct tls;
struct link {
    int fd; /* -1: it has ended */
    struct tls *tls; /* NULL: in the clear */
    struct bytes in, out;
    uint64_t sent; /* bytes */
    uint32_t watched; /* what epoll tells of it */
    bool reads_when_writable, writes_when_readable; /* as TLS wants it, which has words of its own */
    bool hidden; /* more has come, of which the socket does not tell */
    bool failed; /* there was no memory for what was to be said */
};
struct head {
    uint32_t length; /* of what follows */
    uint16_t kind, island;
};
#define MOST (1u << 20) /* bytes of a frame */

/* False: no memory. */
bool bytes_add(struct bytes *bytes, const void *data, size_t length);
void bytes_free(struct bytes *bytes);

/* Room for a frame of at most `length`, to be filled, and then said with its length. NULL: no memory. */
void *link_begin(struct link *link, uint16_t kind, uint16_t island, size_t length);
void link_end(struct link *link, size_t length);
/* Says a frame of two parts, of which the second may be none. False: no memory. */
bool link_say(struct link *link, uint16_t kind, uint16_t island, const void *first, size_t first_length, const void *rest, size_t rest_length);

/* Reads what has come. False: nothing more ever comes. */
bool link_read(struct link *link);

/* The next whole frame, which is valid until `link_done`; NULL: none yet. `wrong`: what has come is no frame. */
const struct head *link_frame(struct link *link, size_t *at, bool *wrong);
void link_done(struct link *link, size_t at);

/* Writes what it takes. False: it takes nothing any more. */
bool link_flush(struct link *link);

/* To be told when it can be written to: something waits for that. */
bool link_wants_room(const struct link *link);

void link_free(struct link *link);

#endif
