/*
 * The calls are of helpers that the library has for instructions which its CPUs lack here (ARCH_OBSERVED_...): a helper that it
 * does not know it does not call. They are known to touch no register of the guest, so these stay where they are.
 */
#include "observe.h"

#include "emit.h"
#include "leave.h"
#include "modelled.h"

/* What is to be known of a block's end, when that is: the constants of the look at its lines. */
static _Thread_local void *word_op, *lines_op, *page_op;

void observe_begin(void) { word_op = NULL; }

static void *emit_constant(void *tcg, void **op) {
    void *temp = unicorn.temp_new(tcg, TCG_TYPE_I64, false);
    *op = unicorn.emit_op(tcg, INDEX_OP_MOVI_I64);
    FIELD(void *, *op, TCG_OP_ARGS) = temp;
    return temp;
}

/* What a look counts for where the library ends a block (library_weigh), whatever it is made of: where blocks end, events are seen. */
#define LOOK_OPERATIONS 14

/*
 *     if ((*<word> & <lines>) == <page>) goto run
 *     helper(model, block)
 * run:
 */
void observe_block(void *tcg, void *block) {
    int operations = FIELD(int, tcg, TCG_NB_OPS) + LOOK_OPERATIONS;
    void *run = unicorn.new_label(tcg), *found = unicorn.temp_new(tcg, TCG_TYPE_I64, false);
    void *word = emit_constant(tcg, &word_op);
    emit_operation(tcg, INDEX_OP_LD_I64, found, word, 0);
    void *lines = emit_constant(tcg, &lines_op);
    emit_operation(tcg, INDEX_OP_AND_I64, found, found, (uintptr_t)lines);
    void *page = emit_constant(tcg, &page_op);
    unicorn.brcond_i64(tcg, TCG_COND_EQ, emit_handle(tcg, found), emit_handle(tcg, page), run);
    void *arguments[] = {emit_pointer(tcg, running->model), emit_pointer(tcg, block)};
    unicorn.call(tcg, (void *)ARCH_OBSERVED_BLOCK, NULL, 2, arguments);
    emit_label(tcg, run);
    void *temps[] = {found, word, lines, page, arguments[0], arguments[1]};
    for (unsigned i = 0; i < sizeof temps / sizeof *temps; i++) unicorn.temp_free(tcg, temps[i]);
    FIELD(int, tcg, TCG_NB_OPS) = operations;
}

/* Most blocks are within the lines that a word tells of; others are always asked for. */
void observe_block_end(const void *block) {
    if (!word_op) return;
    const struct memsys *memsys = running->model->memsys;
    uint64_t pc = FIELD(const uint64_t, block, TB_PC), end = pc + FIELD(const uint16_t, block, TB_SIZE) - 1;
    uint64_t first = pc >> MEMSYS_LINE_SHIFT, count = (end >> MEMSYS_LINE_SHIFT) - first + 1;
    unsigned line = first & 63, from = line % 8;
    bool looks = pc >> MEMSYS_PAGE_SHIFT == end >> MEMSYS_PAGE_SHIFT && from + count <= MEMSYS_CODE_LINES;
    uint64_t lines = looks ? (((uint64_t)1 << count) - 1) << from : 0;
    FIELD(const void *, word_op, TCG_OP_ARGS + 8) = &memsys->code[memsys_code_index(pc)].words[line / 8];
    FIELD(uint64_t, lines_op, TCG_OP_ARGS + 8) = ~MEMSYS_CODE_BITS | lines;
    FIELD(uint64_t, page_op, TCG_OP_ARGS + 8) = looks ? pc & PAGE_MASK : MEMSYS_NOWHERE + 1;
    word_op = NULL;
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
