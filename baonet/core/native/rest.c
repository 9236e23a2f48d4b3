/*
 * A guest that may not have a page yet is left at the instruction that needs it, and goes on with that instruction. Its
 * block has begun, so the guest is to find no other boundary of blocks than if it had not been left: the rest is
 * translated as a block that ends where the whole one would have (at most so many instructions: the library counts some
 * of its blocks by its own limits), no interrupt is taken and nothing looks at the clock before it has run.
 */
#include "rest.h"

#include "architecture.h"
#include "count.h"
#include "leave.h"

enum { REST_NONE, REST_TO_COME, REST_RUNS };

void rest_leave(struct core *core, uintptr_t from) {
    if (from) {
        int32_t before = core->slot->budget;
        ARCH(cpu_restore_state)(core->cpu, from, true);
        core->state.rest = (unsigned)(core->slot->budget - before);
        arch_refused(core, from);
    }
    core->scratch.blocked = true;
    FIELD(int32_t, core->cpu, CS_EXCEPTION_INDEX) = EXCP_INTERRUPT;
    unicorn.loop_exit(core->cpu);
    __builtin_unreachable();
}

void rest_enter(struct core *core) {
    core->scratch.rest = REST_NONE;
    if (!core->state.rest) return;
    core->scratch.rest = REST_TO_COME;
    arch_resume(core);
    FIELD(uint32_t, core->cpu, CS_CFLAGS_NEXT_TB) = core->state.rest;
    slot_kick(core->slot, KICK_MAINTENANCE); /* to be asked when it begins, and when the block behind it does */
}

bool rest_comes(const struct core *core) { return core->scratch.rest == REST_TO_COME; }
bool rest_runs(const struct core *core) { return core->scratch.rest == REST_RUNS; }

bool rest_begins(struct core *core) {
    if (core->scratch.rest != REST_TO_COME) {
        if (core->scratch.rest == REST_RUNS) FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST) = 1; /* what waited is looked at */
        return false;
    }
    core->scratch.rest = REST_RUNS;
    core->state.rest = 0;
    return true;
}

void rest_end(struct core *core) {
    if (core->scratch.blocked || core->scratch.rest != REST_RUNS) return;
    core->scratch.rest = REST_NONE;
    arch_update(core);
}
