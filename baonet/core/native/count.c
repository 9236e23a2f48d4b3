/*
 * The count of retired instructions where a block does not run to its end. A block takes all its instructions from the
 * budget when it starts (translate.c); an exception in it gives back what did not retire, the instruction that it came
 * from included, so the count is exact.
 */
#include "count.h"

#include "footprint.h"
#include "leave.h"

static int64_t leb128(const uint8_t **at) {
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (shift < 64 && byte & 0x40) value |= UINT64_MAX << shift;
    return (int64_t)value;
}

/*
 * The instruction whose host code returns to `from`, by the library's own table: behind the block's host code, for each
 * instruction the differences of its words and of where its host code ends. No other way is right where instructions have two
 * lengths.
 */
static bool find_in(const uint8_t *block, uintptr_t from, struct place *place) {
    place->from = from;
    place->block = block;
    uintptr_t end = FIELD(uintptr_t, block, TB_CODE);
    const uint8_t *at = (const uint8_t *)end + FIELD(size_t, place->block, TB_CODE_SIZE);
    unsigned count = FIELD(uint16_t, place->block, TB_ICOUNT);
    memset(place->words, 0, sizeof place->words);
    place->words[0] = FIELD(uint64_t, place->block, TB_PC);
    for (place->index = 0; place->index < count; place->index++) {
        for (int word = 0; word < INSN_START_WORDS; word++) place->words[word] += (uint64_t)leb128(&at);
        end += (uintptr_t)leb128(&at);
        if (end > from - 1) return true; /* a return address is behind its call */
    }
    return false;
}

/* The search for the block is dear, and who comes from somewhere mostly comes again: host code stays where it is until all goes. */
static bool find(struct core *core, uintptr_t from, struct place *place) {
    if (core->scratch.place.block && core->scratch.place.from == from) {
        *place = core->scratch.place;
        return true;
    }
    const uint8_t *block = unicorn.tb_lookup(FIELD(void *, core->uc, UC_TCG_CTX), from);
    if (!block || !find_in(block, from, place)) return false;
    if (!(FIELD(uint32_t, block, TB_CFLAGS) & CF_NOCACHE)) core->scratch.place = *place;
    return true;
}

void count_forget(struct core *core) { core->scratch.place.block = NULL; }

/* The library calls it too, when the code buffer is full. */
EXPORT void ARCH(tb_flush)(void *cpu) {
    if (running) count_forget(running);
    footprint_flush(cpu);
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
