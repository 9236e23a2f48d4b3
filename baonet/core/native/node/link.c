/* Frames as they are in memory: all nodes are little-endian, and the handshake has told that they run the same engine. */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls.h"

static bool reserve(struct bytes *bytes, size_t more) {
    if (bytes->length + more <= bytes->capacity) return true;
    size_t capacity = bytes->capacity ? bytes->capacity : 4096;
    while (capacity < bytes->length + more) capacity *= 2;
    uint8_t *data = realloc(bytes->data, capacity);
    if (!data) return false;
    bytes->data = data;
    bytes->capacity = capacity;
    return true;
}

bool bytes_add(struct bytes *bytes, const void *data, size_t length) {
    if (!length) return true; /* there may be no room at all, which memcpy is not to be given */
    if (!reserve(bytes, length)) return false;
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    return true;
}

void bytes_free(struct bytes *bytes) {
    free(bytes->data);
    *bytes = (struct bytes){0};
}

static void drop(struct bytes *bytes, size_t length) {
    memmove(bytes->data, bytes->data + length, bytes->length - length);
    bytes->length -= length;
}

void *link_begin(struct link *link, uint16_t kind, uint16_t island, size_t length) {
    struct head head = {.kind = kind, .island = island};
    if (link->fd < 0) return NULL;
    if (!reserve(&link->out, sizeof head + length)) { /* who is not told something must not take what follows for all */
        link->failed = true;
        return NULL;
    }
    memcpy(link->out.data + link->out.length, &head, sizeof head);
    return link->out.data + link->out.length + sizeof head;
}

void link_end(struct link *link, size_t length) {
    uint32_t told = (uint32_t)length;
    memcpy(link->out.data + link->out.length + offsetof(struct head, length), &told, sizeof told);
    link->out.length += sizeof(struct head) + length;
}

enum { CLOSED = -1, NOTHING = 0 };

bool link_say(struct link *link, uint16_t kind, uint16_t island, const void *first, size_t first_length, const void *rest, size_t rest_length) {
    uint8_t *room = link_begin(link, kind, island, first_length + rest_length);
    if (!room) return false;
    memcpy(room, first, first_length);
    if (rest_length) memcpy(room + first_length, rest, rest_length);
    link_end(link, first_length + rest_length);
    return true;
}

/* Bytes, NOTHING has come yet, or CLOSED. */
static ssize_t take(struct link *link, uint8_t *room, size_t size) {
    if (!link->tls) {
        ssize_t come = recv(link->fd, room, size, MSG_DONTWAIT);
        if (come < 0) return errno == EAGAIN || errno == EINTR ? NOTHING : CLOSED;
        return come ? come : CLOSED;
    }
    size_t come = 0;
    enum tls_progress found = tls_read(link->tls, room, size, &come);
    link->reads_when_writable = found == TLS_WRITES;
    return found == TLS_DONE ? (ssize_t)come : found == TLS_READS || found == TLS_WRITES ? NOTHING : CLOSED;
}

static ssize_t put(struct link *link, const uint8_t *data, size_t length) {
    if (!link->tls) {
        ssize_t gone = send(link->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        return gone >= 0 ? gone : errno == EAGAIN || errno == EINTR ? NOTHING : CLOSED;
    }
    size_t gone = 0;
    enum tls_progress found = tls_write(link->tls, data, length, &gone);
    link->writes_when_readable = found == TLS_READS;
    return found == TLS_DONE ? (ssize_t)gone : found == TLS_READS || found == TLS_WRITES ? NOTHING : CLOSED;
}

bool link_read(struct link *link) {
    for (;;) {
        if (!reserve(&link->in, 65536)) return false;
        size_t room = link->in.capacity - link->in.length;
        ssize_t come = take(link, link->in.data + link->in.length, room);
        if (come == CLOSED) return false;
        link->in.length += (size_t)come;
        bool hidden = come && link->tls && tls_pending(link->tls);
        if (come && (hidden || (size_t)come == room) && link->in.length <= MOST) continue;
        link->hidden = hidden; /* the rest can wait */
        return true;
    }
}

const struct head *link_frame(struct link *link, size_t *at, bool *wrong) {
    size_t left = link->in.length - *at;
    if (left < sizeof(struct head)) return NULL;
    const struct head *head = (const struct head *)(link->in.data + *at);
    struct head copy;
    memcpy(&copy, head, sizeof copy); /* it may lie anywhere */
    *wrong = copy.length > MOST;
    if (*wrong || left < sizeof copy + copy.length) return NULL;
    *at += sizeof copy + copy.length;
    return head;
}

void link_done(struct link *link, size_t at) {
    if (at) drop(&link->in, at);
}

bool link_flush(struct link *link) {
    size_t gone = 0;
    ssize_t taken = NOTHING;
    while (gone < link->out.length && (taken = put(link, link->out.data + gone, link->out.length - gone)) > 0) gone += (size_t)taken;
    link->sent += gone;
    if (gone) drop(&link->out, gone);
    return taken != CLOSED;
}

bool link_wants_room(const struct link *link) {
    return link->reads_when_writable || (link->out.length && !link->writes_when_readable);
}

void link_free(struct link *link) {
    tls_free(link->tls);
    if (link->fd >= 0) close(link->fd); /* epoll forgets it */
    bytes_free(&link->in);
    bytes_free(&link->out);
    *link = (struct link){.fd = -1};
}
