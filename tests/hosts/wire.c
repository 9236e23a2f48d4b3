/*
 * wire INTERFACE INTERFACE MICROSECONDS: a cable between two Ethernet interfaces that takes so long each way. What stands in the
 * way of a connection stands in the way of all, whatever port it has. On standard input, a line each:
 *   delay MICROSECONDS   from now on
 *   silent               it carries nothing, and tells nobody
 *   go                   it carries again
 *   rate BYTES           a second, each way; what is too much waits, and behind 4 MiB of it is lost; 0: any
 * It answers each with "ok", and ends with its standard input. Frames go with their virtio_net_hdr (packet(7)), so that checksums
 * and segments that the host has left to the hardware stay so.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST (4u << 20)
#define FRAME (70000u)

struct frame {
    struct frame *next;
    uint64_t due;
    size_t length;
    uint8_t bytes[];
};
struct way {
    int from, to;
    struct frame *first, **last;
    size_t waiting;
    uint64_t free; /* when what was sent before has gone through */
};

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int open_interface(const char *name) {
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, room = 8 << 20;
    if (fd < 0) fail("socket");
    struct sockaddr_ll place = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name)};
    struct packet_mreq all = {.mr_ifindex = place.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on)) fail("PACKET_VNET_HDR");
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on)) fail("PACKET_IGNORE_OUTGOING");
    if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all)) fail(name);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    if (bind(fd, (struct sockaddr *)&place, sizeof place)) fail(name);
    return fd;
}

static void take(struct way *way, uint64_t delay, uint64_t rate, bool silent) {
    static uint8_t bytes[FRAME];
    ssize_t come;
    while ((come = recv(way->from, bytes, sizeof bytes, 0)) > 0) {
        if (silent || way->waiting + (size_t)come > MOST) continue;
        struct frame *frame = malloc(sizeof *frame + (size_t)come);
        if (!frame) continue;
        uint64_t time = now();
        if (way->free < time) way->free = time;
        if (rate) way->free += (uint64_t)come * 1000000000u / rate;
        *frame = (struct frame){.due = way->free + delay, .length = (size_t)come};
        memcpy(frame->bytes, bytes, (size_t)come);
        *way->last = frame;
        way->last = &frame->next;
        way->waiting += frame->length;
    }
}

/* When the next is due. */
static uint64_t deliver(struct way *way) {
    for (struct frame *frame; (frame = way->first);) {
        if (frame->due > now()) return frame->due;
        if (send(way->to, frame->bytes, frame->length, 0) < 0 && (errno == EAGAIN || errno == ENOBUFS)) return now() + 50000;
        way->first = frame->next;
        if (!way->first) way->last = &way->first;
        way->waiting -= frame->length;
        free(frame);
    }
    return UINT64_MAX;
}

int main(int argc, char **argv) {
    if (argc != 4) return fputs("wire INTERFACE INTERFACE MICROSECONDS\n", stderr), 2;
    int ends[2] = {open_interface(argv[1]), open_interface(argv[2])};
    struct way ways[2];
    for (int i = 0; i < 2; i++) ways[i] = (struct way){.from = ends[i], .to = ends[1 - i], .last = &ways[i].first};
    uint64_t delay = strtoull(argv[3], NULL, 10) * 1000, rate = 0;
    bool silent = false;
    prctl(PR_SET_TIMERSLACK, 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ok");
    for (;;) {
        uint64_t first = UINT64_MAX, time;
        for (int i = 0; i < 2; i++) {
            uint64_t due = deliver(&ways[i]);
            if (due < first) first = due;
        }
        time = now();
        uint64_t rest = first > time ? first - time : 0;
        struct timespec limit = {.tv_sec = (time_t)(rest / 1000000000u), .tv_nsec = (long)(rest % 1000000000u)};
        struct pollfd wanted[3] = {{.fd = 0, .events = POLLIN}, {.fd = ends[0], .events = POLLIN}, {.fd = ends[1], .events = POLLIN}};
        if (ppoll(wanted, 3, first == UINT64_MAX ? NULL : &limit, NULL) < 0 && errno != EINTR) fail("ppoll");
        if (wanted[0].revents) {
            char line[64] = "";
            unsigned long long value = 0;
            ssize_t come = read(0, line, sizeof line - 1);
            if (come <= 0) return 0;
            if (sscanf(line, "delay %llu", &value) == 1) delay = value * 1000;
            if (sscanf(line, "rate %llu", &value) == 1) rate = value;
            if (!strncmp(line, "silent", 6)) silent = true;
            if (!strncmp(line, "go", 2)) silent = false;
            puts("ok");
        }
        for (int i = 0; i < 2; i++)
            if (wanted[i + 1].revents) take(&ways[i], delay, rate, silent);
    }
}
