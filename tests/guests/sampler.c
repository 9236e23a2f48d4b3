/*
 * A Linux program without a library, which has itself sampled as `perf record` would (perf_event_open(2)): an interrupt of
 * the performance monitors each so many events, and the kernel writes down where it came. Of the rounds that it makes three in
 * four instructions are in one function and one in another; it counts the samples that are in either.
 *
 *     sampler [rounds]
 */
#include "linux.h"

#define PAGE 4096u
#define RING (64 * PAGE)
#define STEPS 3000u /* of the hot function in a round; the cold one's are a third */

enum { SYS_IOCTL = 29, SYS_MMAP = 222, SYS_PERF_EVENT_OPEN = 241 };
enum { PROT_READ = 1, PROT_WRITE = 2, MAP_SHARED = 1 };
enum { TYPE_HARDWARE = 0, CYCLES = 0, INSTRUCTIONS = 1, SAMPLE_IP = 1, DISABLED = 1, RECORD_SAMPLE = 9 };
enum { ENABLE = 0x2400, DISABLE = 0x2401 };

/* The head of struct perf_event_attr, of which the kernel takes the first 64 bytes as all of it. */
struct attributes {
    uint32_t type, size;
    uint64_t config, sample_period, sample_type, read_format, flags;
    uint32_t wakeup, breakpoint;
    uint64_t config1;
};
struct record {
    uint32_t type;
    uint16_t misc, size;
    uint64_t ip;
};

/* Four instructions a step, in this order in memory, with nothing between them. */
void hot(uint64_t steps), cold(uint64_t steps), behind(void);
__asm__(".text\n"
        "hot:\tadd x1, x1, #1\n\teor x2, x2, x1\n\tsubs x0, x0, #1\n\tb.ne hot\n\tret\n"
        "cold:\tadd x1, x1, #1\n\teor x2, x2, x1\n\tsubs x0, x0, #1\n\tb.ne cold\n\tret\n"
        "behind:\tret\n");

static void sample(const char *name, uint64_t event, uint64_t period, uint64_t rounds) {
    static struct attributes attributes = {.type = TYPE_HARDWARE, .size = sizeof attributes, .sample_type = SAMPLE_IP, .flags = DISABLED};
    attributes.config = event;
    attributes.sample_period = period;
    long counter = call(SYS_PERF_EVENT_OPEN, (long)&attributes, 0, -1, -1, 0, 0);
    long ring = counter < 0 ? -1 : call(SYS_MMAP, 0, PAGE + RING, PROT_READ | PROT_WRITE, MAP_SHARED, counter, 0);
    if (ring < 0 && ring > -4096) {
        say("sampler: FAILED: no "), say(name), say(" to sample, error "), say_number((uint64_t)-(counter < 0 ? counter : ring)), say("\n");
        leave(1);
    }
    call(SYS_IOCTL, counter, ENABLE, 0, 0, 0, 0);
    for (uint64_t i = 0; i < rounds; i++) hot(STEPS), cold(STEPS / 3);
    call(SYS_IOCTL, counter, DISABLE, 0, 0, 0, 0);
    uint64_t head = *(volatile uint64_t *)(ring + 1024), samples = 0, in_hot = 0, in_cold = 0; /* data_head */
    for (uint64_t at = 0; at < head;) { /* all of it is there: the ring is larger */
        const struct record *record = (const struct record *)(ring + PAGE + at % RING);
        if (record->type == RECORD_SAMPLE) {
            samples++;
            if (record->ip >= (uint64_t)hot && record->ip < (uint64_t)cold) in_hot++;
            if (record->ip >= (uint64_t)cold && record->ip < (uint64_t)behind) in_cold++;
        }
        at += record->size;
    }
    say("sampler: "), say(name), say(", each "), say_number(period), say(": "), say_number(samples), say(" samples, ");
    say_number(in_hot), say(" in hot, "), say_number(in_cold), say(" in cold\n");
}

__attribute__((used)) static _Noreturn void begin(const uint64_t *stack) {
    uint64_t rounds = stack[0] > 1 ? number_of((const char *)stack[2]) : 1000;
    sample("cycles", CYCLES, 20011, rounds);
    sample("instructions", INSTRUCTIONS, 20011, rounds);
    leave(0);
}
