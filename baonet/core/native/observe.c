/*
 * The calls are of helpers that the library has for instructions which its CPUs lack here (ARCH_OBSERVED_...): a helper that it
 * does not know it does not call. They are known to touch no register of the guest, so these stay where they are.
 */
#include "observe.h"

#include "emit.h"
#include "leave.h"
#include "modelled.h"

/* What is to be known of a block's end, when that is: what the look at its first line loads, and the constants of that at its last. */
static _Thread_local void *first_load, *last_place, *last_line;

void observe_begin(void) { last_place = NULL; }

static void *emit_constant(void *tcg, void **op) {
    void *temp = unicorn.temp_new(tcg, TCG_TYPE_I64, false);
    *op = unicorn.emit_op(tcg, INDEX_OP_MOVI_I64);
    FIELD(void *, *op, TCG_OP_ARGS) = temp;
    return temp;
}

static uint64_t *place_of(uint64_t line) { return &running->model->memsys->code[line >> MEMSYS_LINE_SHIFT & (MEMSYS_FILTER - 1)]; }

/* if (*place `condition` line) goto label; gives the load. */
static void *emit_look(void *tcg, void *place, void *line, int condition, void *label) {
    void *found = unicorn.temp_new(tcg, TCG_TYPE_I64, false);
    void *load = emit_operation(tcg, INDEX_OP_LD_I64, found, place, 0);
    unicorn.brcond_i64(tcg, condition, emit_handle(tcg, found), emit_handle(tcg, line), label);
    unicorn.temp_free(tcg, found);
    unicorn.temp_free(tcg, place);
    unicorn.temp_free(tcg, line);
    return load;
}

/*
 *     if (code[of the first line] != first line) goto fetch
 *     if (code[of the last line] == last line) goto run
 * fetch:
 *     helper(memsys, block)
 * run:
 */
void observe_block(void *tcg, void *block) {
    void *fetch = unicorn.new_label(tcg), *run = unicorn.new_label(tcg);
    uint64_t first = FIELD(uint64_t, block, TB_PC) & ~(uint64_t)(MEMSYS_LINE - 1);
    first_load = emit_look(tcg, emit_pointer(tcg, place_of(first)), emit_pointer(tcg, (void *)(uintptr_t)first), TCG_COND_NE, fetch);
    void *place = emit_constant(tcg, &last_place), *line = emit_constant(tcg, &last_line);
    emit_look(tcg, place, line, TCG_COND_EQ, run);
    emit_label(tcg, fetch);
    void *arguments[] = {emit_pointer(tcg, running->model->memsys), emit_pointer(tcg, block), emit_number(tcg, 0)};
    unicorn.call(tcg, (void *)ARCH_OBSERVED_BLOCK, NULL, 3, arguments);
    for (int i = 0; i < 3; i++) unicorn.temp_free(tcg, arguments[i]);
    emit_label(tcg, run);
}

/*
 * A block with lines between these two is always asked for. One that is within a line needs one look: the first, of which both sides
 * are the same constant then, the library leaves out.
 */
void observe_block_end(const void *block) {
    if (!last_place) return;
    uint64_t pc = FIELD(const uint64_t, block, TB_PC), end = pc + FIELD(const uint16_t, block, TB_SIZE) - 1;
    uint64_t first = pc & ~(uint64_t)(MEMSYS_LINE - 1), last = end & ~(uint64_t)(MEMSYS_LINE - 1);
    FIELD(uint64_t *, last_place, TCG_OP_ARGS + 8) = place_of(last);
    FIELD(uint64_t, last_line, TCG_OP_ARGS + 8) = last - first > MEMSYS_LINE ? MEMSYS_NOWHERE + 1 : last;
    if (first == last) {
        FIELD(uint8_t, first_load, TCG_OP_OPCODE) = INDEX_OP_MOVI_I64;
        FIELD(uint64_t, first_load, TCG_OP_ARGS + 8) = first;
    }
    last_place = NULL;
}

/* Helpers of their own have loads and stores of as many bytes as an aligned one can have: a power of two, and no more than a line. */
static bool is_usual(unsigned size, enum memsys_kind kind) { return kind <= MEMSYS_STORE && size <= MEMSYS_LINE && !(size & (size - 1)); }

static void *helper_of(enum memsys_kind kind) { return kind == MEMSYS_LOAD ? (void *)ARCH_OBSERVED_LOAD : (void *)ARCH_OBSERVED_STORE; }

void observe_access(void *tcg, void *address, unsigned size, enum memsys_kind kind) {
    bool usual = is_usual(size, kind);
    void *arguments[] = {emit_pointer(tcg, running->model->memsys), emit_temp(tcg, address),
                         emit_number(tcg, usual ? (uint32_t)memsys_aligned_mask(size) : modelled_info(size, kind))};
    library_weigh(tcg);
    unicorn.call(tcg, usual ? helper_of(kind) : (void *)ARCH_OBSERVED_OTHER, NULL, 3, arguments);
    unicorn.temp_free(tcg, arguments[0]);
    unicorn.temp_free(tcg, arguments[2]);
}

/* *to = *from, of 64 bits or 32. */
static void emit_copy(void *tcg, const volatile void *from, void *to, bool wide) {
    void *value = unicorn.temp_new(tcg, wide ? TCG_TYPE_I64 : TCG_TYPE_I32, false);
    void *source = emit_pointer(tcg, from), *target = emit_pointer(tcg, to);
    emit_operation(tcg, wide ? INDEX_OP_LD_I64 : INDEX_OP_LD_I32, value, source, 0);
    emit_operation(tcg, wide ? INDEX_OP_ST_I64 : INDEX_OP_ST_I32, value, target, 0);
    unicorn.temp_free(tcg, target);
    unicorn.temp_free(tcg, source);
    unicorn.temp_free(tcg, value);
}

void observe_several(void *tcg, uint64_t pc) {
    struct modelled *model = running->model;
    void *value = emit_pointer(tcg, (void *)(uintptr_t)pc), *target = emit_pointer(tcg, &model->several.pc);
    emit_operation(tcg, INDEX_OP_ST_I64, value, target, 0);
    unicorn.temp_free(tcg, target);
    unicorn.temp_free(tcg, value);
    emit_copy(tcg, &model->memsys->counters[0].loads, &model->several.loads, true);
    emit_copy(tcg, &model->memsys->counters[0].stores, &model->several.stores, true);
    emit_copy(tcg, &running->state.left, &model->several.left, true);
    emit_copy(tcg, &running->slot->budget, &model->several.budget, false);
}
