/* What time it is: of the host, or virtual time. */
#ifndef BAONET_CLOCK_H
#define BAONET_CLOCK_H

#include "core.h"

/* CLOCK_MONOTONIC, in nanoseconds. */
uint64_t host_now(void);

/* The same for a core: it stands still while that does. */
uint64_t clock_host(const struct core *core);

/*
 * Since the start of the machine: cycles of virtual time, or nanoseconds of the host. On several nodes it is an estimate, which
 * may go back.
 */
uint64_t clock_now(struct core *core);

/*
 * What the guest sees of it: not before what others had seen when they let go of what it has of them. In virtual time that may
 * be ahead of its own clock, which comes after it; and so it may on several nodes under the host's.
 */
uint64_t clock_visible(struct core *core);

/* The same for its eyes: it never goes back, and the guest knows from now on that it is so late. */
uint64_t clock_seen(struct core *core);

/* The same in virtual time when so many more instructions have retired, and nothing else has happened. */
uint64_t clock_seen_after(struct core *core, uint64_t instructions);

/* From now on the guest knows that it is so late, and sees no time before this. */
void clock_raise(struct core *core, uint64_t floor);

/* Under the host's clock: have the machine's time fall behind it by so much more. */
void clock_stand(struct core *core);
void clock_fall_behind(struct core *core, uint64_t nanoseconds);

/* The counter that the guest reads, in ticks of its own, when the clock shows `time`; nanoseconds of so many. */
static inline uint64_t clock_ticks(struct core *core, uint64_t time) {
    uint64_t product;
    if (core->hz && !__builtin_mul_overflow(time, core->ratio.ticks, &product)) return product / core->ratio.cycles;
    if (core->hz) return (uint64_t)((unsigned __int128)time * core->ratio.ticks / core->ratio.cycles);
    return (uint64_t)((unsigned __int128)time * core->tick_multiplier >> 32);
}
int64_t clock_nanoseconds(struct core *core, uint64_t ticks);

/* The rest is of virtual time. The clock is looked at so often that what is always divided by is multiplied by: 2^64 of its parts, of
 * which the quotient is too small by 1 at most. */
static inline struct pace clock_pace(uint32_t cycles, uint32_t instructions) {
    return (struct pace){cycles, instructions, UINT64_MAX / cycles, UINT64_MAX / instructions};
}
static inline uint64_t clock_divided(uint64_t number, uint32_t by, uint64_t part) {
    uint64_t quotient = (uint64_t)((unsigned __int128)number * part >> 64);
    return quotient + (number - quotient * by >= by);
}

static inline struct ratio clock_ratio(uint64_t frequency, uint64_t hz) {
    uint64_t common = frequency, other = hz;
    while (other) {
        uint64_t rest = common % other;
        common = other;
        other = rest;
    }
    return (struct ratio){frequency / common, hz / common};
}

/* The cycles of so many instructions. */
static inline uint64_t clock_of_instructions(const struct core *core, uint64_t instructions) {
    const struct pace *pace = &core->pace;
    return pace->cycles == pace->instructions ? instructions : clock_divided(instructions * pace->cycles, pace->instructions, pace->by_instructions);
}

/* The first cycle that is certain to be after the clock has shown, while so many instructions had retired; if nothing stalls. */
uint64_t clock_after(const struct core *core, uint64_t retired);

/* The first cycle at which the counter shows `tick`, all ones: it is out of reach. */
uint64_t clock_of_tick(struct core *core, uint64_t tick);

/* When its own clock has come to the next timer; now, if the guest sees that time already. All ones: none is armed. */
uint64_t clock_alarm(struct core *core);

/* After something has changed that says when the stay has to be looked at. */
void clock_plan(struct core *core);

/* Of the core that runs: whether its stay would go on, with no timer due, if so many cycles passed now. */
bool clock_goes_on(struct core *core, uint64_t cycles);

void clock_skip(struct core *core, uint64_t cycles);

/*
 * An instruction of the block that runs takes so many cycles more. No more instructions have retired for that; the stay ends where
 * the clock says, at the start of a block.
 */
void clock_stall(struct core *core, uint64_t cycles);

/* At the start of a block whose `instructions` are already taken. */
void clock_block_start(struct core *core, unsigned instructions);

#endif
