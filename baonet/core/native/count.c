/*
 * The count of retired instructions where a block does not run to its end. A block takes all its instructions from the
 * budget when it starts (translate.c); an exception in it gives back what did not retire, the instruction that it came
 * from included, so the count is exact.
 */
#include "count.h"

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
 * How many instructions of the block precede the one whose host code returns to `from`, by the library's own table: behind
 * the block's host code, for each instruction the differences of INSN_START_WORDS words and of where its host code ends.
 * No other way is right where instructions have two lengths.
 */
static unsigned index_in_block(const uint8_t *tb, uintptr_t from) {
    uintptr_t end = FIELD(uintptr_t, tb, TB_CODE);
    const uint8_t *at = (const uint8_t *)end + FIELD(size_t, tb, TB_CODE_SIZE);
    unsigned index = 0, count = FIELD(uint16_t, tb, TB_ICOUNT);
    for (; index < count; index++) {
        for (int word = 0; word < INSN_START_WORDS; word++) leb128(&at);
        end += (uintptr_t)leb128(&at);
        if (end > from - 1) break; /* a return address is behind its call */
    }
    return index;
}

unsigned count_rest(struct core *core, uintptr_t from) {
    const uint8_t *tb = unicorn.tb_lookup(FIELD(void *, core->uc, UC_TCG_CTX), from);
    return tb ? FIELD(uint16_t, tb, TB_ICOUNT) - index_in_block(tb, from) : 0;
}

bool count_is_first(struct core *core, uintptr_t from) {
    const uint8_t *tb = unicorn.tb_lookup(FIELD(void *, core->uc, UC_TCG_CTX), from);
    return tb && !index_in_block(tb, from);
}

void count_give_back(struct core *core, uintptr_t from) { core->slot->budget += (int)count_rest(core, from); }

EXPORT bool ARCH(cpu_restore_state)(void *cpu, uintptr_t from, bool will_exit) {
    bool found = unicorn.restore_state(cpu, from, will_exit);
    struct core *core = running;
    if (found && will_exit && core && core->cpu == cpu) count_give_back(core, from);
    return found;
}
