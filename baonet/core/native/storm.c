/*
 * Exceptions that the guest takes itself, and what else costs the host hundreds of times what an instruction does.
 *
 * In virtual time an exception takes cycles of its own, and in a storm of them as many as it costs the host: a guest that
 * does nothing but fault would otherwise slow down its island by the hundreds that are between an exception and an
 * instruction on the host. And a stay ends after a number of such events, under both clocks, before its budget or limit:
 * whoever runs the core looks around, and goes on. That changes nothing in what the guest does, as a kick does not; when
 * it comes follows from the guest's own events all the same, and not from the host's time.
 */
#include "storm.h"

#include "clock.h"
#include "leave.h"
#include "windows.h"

/* An exception costs the host what some 600 instructions of a loop do; a CPU takes some 50 to 100 cycles there and back. */
#define EXCEPTION_CYCLES 100
#define STORM_CYCLES 600

/* Fewer instructions to an exception, over a spell of them, than a handler has that gets anywhere. */
#define FEW 32

/* By maintenance of this CPU alone, or a write of a register that says how it translates. */
EXPORT void ARCH(tlb_flush_by_mmuidx)(void *cpu, uint16_t map) {
    if (running) {
        windows_forget(running);
        core_strain(running, FLUSH_STRAIN);
    }
    unicorn.tlb_flush_mmuidx(cpu, map);
}

EXPORT void ARCH(tlb_flush_page_by_mmuidx)(void *cpu, uint64_t va, uint16_t map) {
    if (running) {
        windows_forget(running);
        core_strain(running, MAINTENANCE_STRAIN);
    }
    unicorn.tlb_flush_page_mmuidx(cpu, va, map);
}

/*
 * A storm: over a whole spell there was hardly an instruction between two exceptions, or it was one and the same
 * exception. A guest may call its own kernel as often as it likes, so for these only one that calls from its vector.
 */
static void judge(struct core *core, bool call) {
    struct state *state = &core->state;
    uint64_t retired = core_retired(core), few = call ? 2 : FEW;
    state->spell = retired - state->spell_began;
    state->spell_began = retired;
    state->storm = state->spell < few * SPELL || state->repeated >= SPELL - 1;
    state->storm_seen |= state->storm;
}

/* Whoever runs the core looks around after a spell of what was taken, and at once when a storm is to be told. */
static void leave_in_time(struct core *core) {
    if (++core->scratch.strain < SPELL && !storm_is_untold(core)) return;
    core->scratch.strain = 0; /* it may never begin a block again, so it leaves here */
    core->scratch.out_of_budget = true;
    FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST) = 1;
}

/*
 * An interrupt alone takes no cycles: what it costs is the hypervisor's to say. In a storm of them, a handler that does
 * not silence what is pending is entered again at once, and nobody else asks for a cycle.
 */
void storm_interrupt(struct core *core) {
    struct state *state = &core->state;
    if (++state->interrupts % SPELL == 0) {
        uint64_t retired = core_retired(core), spell = retired - state->interrupts_began;
        state->interrupts_began = retired;
        state->interrupt_storm = spell < FEW * SPELL;
        if (state->interrupt_storm && !state->storm_seen) {
            state->storm_seen = state->storm_of_interrupts = true;
            state->spell = spell;
        }
    }
    if (core->hz && state->interrupt_storm) {
        state->skipped += STORM_CYCLES;
        clock_block_start(core, 0);
    }
    leave_in_time(core);
}

void storm_exception(struct core *core, bool call, bool again) {
    struct state *state = &core->state;
    state->repeated = again ? state->repeated + 1 : 0;
    state->native_exceptions++;
    if (++state->exceptions % SPELL == 0) judge(core, call);
    if (core->hz) {
        state->skipped += state->storm ? STORM_CYCLES : EXCEPTION_CYCLES;
        clock_block_start(core, 0);
    }
    leave_in_time(core);
}

/* What was taken in the last spell and the instructions between, once in a life of the guest. */
bool storm_tell(struct core *core, uint64_t *taken, uint64_t *instructions, bool *interrupts) {
    struct state *state = &core->state;
    if (!state->storm_seen || state->storm_told) return false;
    state->storm_told = true;
    *taken = SPELL;
    *instructions = state->spell;
    *interrupts = state->storm_of_interrupts;
    return true;
}

/* The guest starts anew. */
void storm_forget(struct core *core) {
    struct state *state = &core->state;
    state->exceptions = 0;
    state->repeated = core->scratch.strain = 0;
    state->storm = state->storm_seen = state->storm_told = false;
    state->interrupts = 0;
    state->interrupt_storm = state->storm_of_interrupts = false;
    state->spell_began = state->interrupts_began = core_retired(core);
}
