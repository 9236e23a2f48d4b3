/*
 * What time it is. Under the host's clock: nanoseconds since the start of the machine. In virtual time: cycles, those of the
 * retired instructions (one each, or what the core was given as its pace), and more that are skipped when the guest waits
 * or the hypervisor works for it.
 *
 * A stay in virtual time is planned: its budget ends at the limit, or at the next timer, whatever comes first, and the
 * block that would begin at or after that moment does not run. So where a stay ends follows from the guest's own
 * instructions, and not from how often the host had a reason to look.
 */
#include "clock.h"

#include <time.h>

#include "architecture.h"
#include "common_time.h"
#include "leave.h"

#define FAR (1 << 30)

uint64_t host_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Of an island on several nodes: this node's, as if no core had ever stood. */
static uint64_t own_time(const struct core *core) { return clock_host(core) - core->epoch + core->stood; }

/* What is common to nodes, which have stood for the same time; what is estimated may be a little before that. */
static uint64_t without_rests(const struct core *core, uint64_t common) {
    return common > core->stood ? common - core->stood : 0;
}

/* Cycles of virtual time in which no instruction retired: what was skipped here, and what the clock was charged at windows' edges. */
static uint64_t beside(const struct core *core) {
    return core->state.skipped + (core->weave ? memsys_weave_party(core->weave, core->party)->charged : 0);
}

/* In virtual time, when so many instructions have retired. */
static uint64_t time_of(const struct core *core, uint64_t retired) { return clock_of_instructions(core, retired) + beside(core); }

uint64_t clock_now(struct core *core) {
    if (core->hz) return time_of(core, core_retired(core));
    if (!core->residence) return clock_host(core) - core->epoch;
    uint64_t own = own_time(core);
    return without_rests(core, core->stands ? common_of(core->stands_offset, own) : common_clock(core->residence, own));
}

/* What comes from another node while this core stands is from when it has stood: that is no time of its guest's. */
static uint64_t shown(struct core *core) {
    if (!core->residence || core->stands) return clock_now(core);
    return without_rests(core, common_time(core->residence, own_time(core)));
}

uint64_t clock_visible(struct core *core) {
    uint64_t now = shown(core);
    return now > core->state.floor ? now : core->state.floor;
}

/* What another knew the guest may pass on, also where its own clock has passed that. A timer that is due by then has fired. */
void clock_raise(struct core *core, uint64_t floor) {
    uint64_t now = clock_now(core);
    if (floor > core->state.seen) core->state.seen = floor;
    if (floor <= now || floor <= core->state.floor) return;
    core->state.floor = floor;
    if (floor - now > core->state.ahead) core->state.ahead = floor - now;
    if (running == core) clock_plan(core);
}

uint64_t clock_host(const struct core *core) { return core->stands ? core->stands_since : host_now(); }

/*
 * For the guest's eyes. In virtual time the block's instructions count from its start; what an exception takes back must
 * not show.
 */
uint64_t clock_seen(struct core *core) {
    uint64_t now = clock_visible(core);
    return core->state.seen = now > core->state.seen ? now : core->state.seen;
}

uint64_t clock_seen_after(struct core *core, uint64_t instructions) {
    uint64_t time = time_of(core, core_retired(core) + instructions);
    if (time < core->state.floor) time = core->state.floor;
    return time > core->state.seen ? time : core->state.seen;
}

uint64_t clock_of_tick(struct core *core, uint64_t tick) {
    unsigned __int128 cycle = ((unsigned __int128)tick * core->hz + core->frequency - 1) / core->frequency;
    return cycle > INT64_MAX ? UINT64_MAX : (uint64_t)cycle;
}

uint64_t clock_after(const struct core *core, uint64_t retired) { return time_of(core, retired) + 1; }

int64_t clock_nanoseconds(struct core *core, uint64_t ticks) {
    unsigned __int128 exact = (unsigned __int128)ticks * 1000000000u / core->frequency;
    return exact > INT64_MAX ? INT64_MAX : (int64_t)exact;
}

uint64_t clock_alarm(struct core *core) {
    uint64_t alarm = arch_alarm(core);
    return alarm <= core->state.floor ? clock_now(core) : alarm;
}

/* A timer that the floor has passed is due at the start of the next block, whose instructions are taken when this is asked. */
static uint64_t stop(struct core *core) {
    uint64_t alarm = arch_alarm(core);
    if (alarm <= core->state.floor) return 0;
    return alarm < core->scratch.limit ? alarm : core->scratch.limit;
}

/* How many instructions are to retire, from now on, for the clock to show so many cycles; less than 0: it shows more. */
static int64_t instructions_until(struct core *core, uint64_t cycle) {
    const struct pace *pace = &core->pace;
    if (pace->cycles == pace->instructions) return (int64_t)(cycle - clock_now(core));
    unsigned __int128 of_instructions = cycle > beside(core) ? cycle - beside(core) : 0;
    unsigned __int128 in_all = (of_instructions * pace->instructions + pace->cycles - 1) / pace->cycles;
    return (int64_t)((in_all > INT64_MAX ? INT64_MAX : (uint64_t)in_all) - core_retired(core));
}

/* Sets the budget so that the next look comes when it must; instructions already taken stay taken. */
void clock_plan(struct core *core) {
    int64_t rest = instructions_until(core, stop(core));
    int32_t chunk = rest > FAR ? FAR : rest < -FAR ? -FAR : (int32_t)rest;
    core->state.left += core->slot->budget - chunk;
    core->slot->budget = chunk;
}

bool clock_goes_on(struct core *core, uint64_t cycles) { return clock_now(core) + cycles < stop(core); }

void clock_skip(struct core *core, uint64_t cycles) {
    if (!core->hz || !cycles) return;
    core->state.skipped += cycles;
    if (running == core) clock_plan(core);
}

/*
 * The budget may have become too small by an instruction, since these are whole: who finds it spent looks at the clock and plans
 * anew.
 */
void clock_stall(struct core *core, uint64_t cycles) {
    const struct pace *pace = &core->pace;
    uint64_t instructions = clock_divided(cycles * pace->instructions + pace->cycles - 1, pace->cycles, pace->by_cycles);
    core->state.skipped += cycles;
    core->state.left += (int64_t)instructions;
    core->slot->budget -= (int32_t)instructions;
}

/* What is noted of a core while it stands, or changes what it counts, has no later time than where it goes on. */
void clock_stand(struct core *core) {
    if (core->hz || core->stands) return;
    core->stands_since = host_now();
    if (core->residence) core->stands_offset = atomic_load(&core->residence->offset);
    core->stands = true;
}

/* The machine has stood for so long by the host's clock, which is its own: for it that time has not been. */
void clock_fall_behind(struct core *core, uint64_t nanoseconds) {
    if (core->hz) return;
    core->stands = false;
    core->epoch += nanoseconds;
    core->stood += nanoseconds;
    core->chunk_began += nanoseconds;
}

/* At the start of a block whose `instructions` are already taken. */
void clock_block_start(struct core *core, unsigned instructions) {
    uint64_t start = time_of(core, core_retired(core) - instructions);
    if (start < stop(core)) {
        clock_plan(core);
        return;
    }
    core->scratch.out_of_budget |= start >= core->scratch.limit;
    FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST) = 1;
}
