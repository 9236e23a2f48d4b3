/*
 * The calls are of helpers that the library has for instructions which its CPUs lack here (ARCH_OBSERVED_...): a helper that it
 * does not know it does not call. They are known to touch no register of the guest, so these stay where they are.
 */
#include "observe.h"

#include "emit.h"
#include "leave.h"
#include "modelled.h"

/* What is to be known of a block's end, when that is: the constants of its page, and of its lines in that. */
static _Thread_local void *page_op, *place_op, *lines_op;

void observe_begin(void) { page_op = NULL; }

static void *emit_constant(void *tcg, void **op) {
    void *temp = unicorn.temp_new(tcg, TCG_TYPE_I64, false);
    *op = unicorn.emit_op(tcg, INDEX_OP_MOVI_I64);
    FIELD(void *, *op, TCG_OP_ARGS) = temp;
    return temp;
}

/*
 *     if (!(page->page ^ <page> | page->absent & <lines>)) goto run
 *     helper(memsys, block)
 * run:
 */
void observe_block(void *tcg, void *block) {
    void *run = unicorn.new_label(tcg), *nothing = emit_pointer(tcg, NULL);
    void *entry = emit_pointer(tcg, &running->model->memsys->code[memsys_code_index(FIELD(uint64_t, block, TB_PC))]);
    void *found = unicorn.temp_new(tcg, TCG_TYPE_I64, false), *absent = unicorn.temp_new(tcg, TCG_TYPE_I64, false);
    emit_operation(tcg, INDEX_OP_LD_I64, found, entry, offsetof(struct memsys_code_page, page));
    void *page = emit_constant(tcg, &page_op);
    emit_operation(tcg, INDEX_OP_XOR_I64, found, found, (uintptr_t)page);
    place_op = emit_operation(tcg, INDEX_OP_LD32U_I64, absent, entry, 0);
    void *lines = emit_constant(tcg, &lines_op);
    emit_operation(tcg, INDEX_OP_AND_I64, absent, absent, (uintptr_t)lines);
    emit_operation(tcg, INDEX_OP_OR_I64, found, found, (uintptr_t)absent);
    unicorn.brcond_i64(tcg, TCG_COND_EQ, emit_handle(tcg, found), emit_handle(tcg, nothing), run);
    void *temps[] = {nothing, entry, found, absent, page, lines};
    for (unsigned i = 0; i < sizeof temps / sizeof *temps; i++) unicorn.temp_free(tcg, temps[i]);
    void *arguments[] = {emit_pointer(tcg, running->model->memsys), emit_pointer(tcg, block)};
    unicorn.call(tcg, (void *)ARCH_OBSERVED_BLOCK, NULL, 2, arguments);
    for (int i = 0; i < 2; i++) unicorn.temp_free(tcg, arguments[i]);
    emit_label(tcg, run);
}

#define LOOKED_AT 32u /* lines, from one whose number divides by 8 */

/* Most blocks are within as many lines of a page, as an instruction of the host can test at once; others are always asked for. */
void observe_block_end(const void *block) {
    if (!page_op) return;
    uint64_t pc = FIELD(const uint64_t, block, TB_PC), end = pc + FIELD(const uint16_t, block, TB_SIZE) - 1;
    uint64_t first = pc >> MEMSYS_LINE_SHIFT, lines = (end >> MEMSYS_LINE_SHIFT) - first + 1;
    unsigned in_page = first & 63, byte = in_page / 8 < 4 ? in_page / 8 : 4, from = in_page - byte * 8;
    bool looks = pc >> MEMSYS_PAGE_SHIFT == end >> MEMSYS_PAGE_SHIFT && from + lines <= LOOKED_AT;
    FIELD(uint64_t, page_op, TCG_OP_ARGS + 8) = looks ? pc & PAGE_MASK : MEMSYS_NOWHERE + 1;
    FIELD(uint64_t, place_op, TCG_OP_ARGS + 16) = offsetof(struct memsys_code_page, absent) + byte;
    FIELD(uint64_t, lines_op, TCG_OP_ARGS + 8) = looks ? (((uint64_t)1 << lines) - 1) << from : 0;
    page_op = NULL;
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
