/*
 * The count of retired instructions where a block does not run to its end. A block takes all its instructions from the
 * budget when it starts (translate.c); an exception in it gives back what did not retire, the instruction that it came
 * from included, so the count is exact.
 */
#include "count.h"

#include "block_table.h"
#include "footprint.h"
#include "leave.h"

/*
 * The instruction whose host code returns to `from`, by the library's own table. No other way is right where instructions have two
 * lengths.
 */
static bool find_in(const uint8_t *block, uintptr_t from, struct place *place) {
    place->from = from;
    place->block = block;
    uintptr_t begin = FIELD(uintptr_t, block, TB_CODE);
    const uint8_t *at = (const uint8_t *)begin + FIELD(size_t, block, TB_CODE_SIZE);
    unsigned count = FIELD(uint16_t, block, TB_ICOUNT);
    struct block_row row = block_table_begin(FIELD(uint64_t, block, TB_PC));
    for (place->index = 0; place->index < count; place->index++) {
        block_table_next(&at, &row);
        if (begin + row.end > from - 1) { /* a return address is behind its call */
            memcpy(place->words, row.words, sizeof row.words);
            return true;
        }
    }
    return false;
}

/* The search for the block is dear, and who comes from somewhere mostly comes again: host code stays where it is until all goes. */
static bool find(struct core *core, uintptr_t from, struct place *place) {
    struct place *known = &core->scratch.places[(from ^ from >> 4 ^ from >> 8) % PLACES_KNOWN];
    if (known->block && known->from == from) {
        *place = *known;
        return true;
    }
    const uint8_t *block = unicorn.tb_lookup(FIELD(void *, core->uc, UC_TCG_CTX), from);
    if (!block || !find_in(block, from, place)) return false;
    if (!(FIELD(uint32_t, block, TB_CFLAGS) & CF_NOCACHE)) *known = *place;
    return true;
}

static void forget(struct core *core) { memset(core->scratch.places, 0, sizeof core->scratch.places); }

void count_flush(struct core *core) {
    forget(core);
    footprint_flush(core->cpu);
}

/* Of CPUs that did not run then: of which core, nobody knows here. */
static _Atomic uint32_t flushes;

/* The library calls it too, when the code buffer is full. */
EXPORT void ARCH(tb_flush)(void *cpu) {
    if (running && running->cpu == cpu)
        forget(running);
    else
        atomic_fetch_add(&flushes, 1);
    footprint_flush(cpu);
}

void count_enter(struct core *core) {
    uint32_t now = atomic_load_explicit(&flushes, memory_order_relaxed);
    if (core->scratch.flushes == now) return;
    core->scratch.flushes = now;
    forget(core);
}

static unsigned rest(const struct place *place) { return FIELD(uint16_t, place->block, TB_ICOUNT) - place->index; }

unsigned count_rest(struct core *core, uintptr_t from) {
    struct place place;
    return find(core, from, &place) ? rest(&place) : 0;
}

bool count_is_first(struct core *core, uintptr_t from, uint64_t *pc) {
    struct place place;
    if (!find(core, from, &place) || place.index) return false;
    *pc = place.words[0];
    return true;
}

void count_give_back(struct core *core, uintptr_t from) { core->slot->budget += (int)count_rest(core, from); }

static void restore(struct core *core, struct place *place, uintptr_t from, bool will_exit) {
    if (FIELD(uint32_t, place->block, TB_CFLAGS) & CF_NOCACHE) /* it is to be forgotten, too */
        unicorn.restore_state(core->cpu, from, will_exit);
    else
        unicorn.restore_to_opc(core->env, place->block, place->words);
    if (will_exit) core->slot->budget += (int)rest(place);
}

void count_leave_block(struct core *core, const uint8_t *block) {
    struct place place;
    uintptr_t from = FIELD(uintptr_t, block, TB_CODE) + 1;
    if (find_in(block, from, &place)) restore(core, &place, from, true);
}

EXPORT bool ARCH(cpu_restore_state)(void *cpu, uintptr_t from, bool will_exit) {
    struct core *core = running;
    if (!core || core->cpu != cpu) return unicorn.restore_state(cpu, from, will_exit);
    struct place place;
    if (!find(core, from, &place)) return false;
    restore(core, &place, from, will_exit);
    return true;
}
