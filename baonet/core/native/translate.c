/*
 * What is changed in the code that TCG generates. This library is loaded before libunicorn.so.2 with global symbols,
 * and the wheel calls its own functions through the PLT, so the functions below stand in front of the library's.
 *
 * 1. Every block is translated as QEMU does for a multi-threaded guest (CF_PARALLEL): real atomic instructions.
 * 2. A stop is honoured only at the start of a block. Stock Unicorn also checks after every load and store, and a
 *    stop there leaves with the PC still at the access, which then runs twice.
 * 3. At the start of a block, inline: budget -= instructions of the block; attend if that is less than the kick word.
 */
#include "architecture.h"
#include "common_blocks.h"
#include "count.h"
#include "emit.h"
#include "host_code.h"
#include "leave.h"
#include "observe.h"
#include "settle.h"

/* A translation costs the host as much as so many exceptions. */
#define TRANSLATION_STRAIN 16

static _Thread_local uint8_t *tcg;
static _Thread_local void *count_op; /* the constant to be patched with the block's instruction count */
static _Thread_local void *block;    /* that is translated */
static _Thread_local void *attend;   /* a label */

EXPORT void ARCH(tcg_func_start)(void *s) {
    tcg = s;
    unicorn.func_start(s);
}

/* What a block's start counts for where the library ends a block (library_weigh), whatever it is made of: events are seen there. */
#define START_OPERATIONS 11

/*
 *     count = slot->budget - <instructions>;  slot->budget = count
 *     if (count < slot->kick) goto attend
 * run:
 */
static void emit_block_start(void) {
    struct core *core = running;
    int operations = FIELD(int, tcg, TCG_NB_OPS) + START_OPERATIONS;
    void *count = unicorn.temp_new(tcg, TCG_TYPE_I32, false), *other = unicorn.temp_new(tcg, TCG_TYPE_I32, false);
    void *slot = emit_pointer(tcg, core->slot);
    attend = unicorn.new_label(tcg);

    emit_operation(tcg, INDEX_OP_LD_I32, count, slot, offsetof(struct slot, budget));
    count_op = unicorn.emit_op(tcg, INDEX_OP_MOVI_I32);
    FIELD(void *, count_op, TCG_OP_ARGS) = other;
    emit_operation(tcg, INDEX_OP_SUB_I32, count, count, (uintptr_t)other);
    emit_operation(tcg, INDEX_OP_ST_I32, count, slot, offsetof(struct slot, budget));
    emit_operation(tcg, INDEX_OP_LD_I32, other, slot, offsetof(struct slot, kick));
    unicorn.brcond_i32(tcg, TCG_COND_LT, emit_handle(tcg, count), emit_handle(tcg, other), attend);

    unicorn.temp_free(tcg, slot);
    unicorn.temp_free(tcg, count);
    unicorn.temp_free(tcg, other);
    FIELD(int, tcg, TCG_NB_OPS) = operations;
    if (core->model) observe_block(tcg, block);
}

/* The budget ran out, or somebody wants attention. It may leave the block, or refill the budget and say where to go on. */
static const uint8_t *attend_at(const uint8_t *begun) {
    struct core *core = running;
    core_settle(core, FIELD(uint16_t, begun, TB_ICOUNT));
    if (core->scratch.leave_block) {
        core->scratch.leave_block = false;
        count_leave_block(core, begun);
        unicorn.loop_exit(core->cpu);
    }
    const uint8_t *run = host_code_run(FIELD(const uint8_t *, begun, TB_CODE));
    if (!run) Py_FatalError("baonet: libunicorn.so.2 makes other code than 2.1.4");
    return run;
}

/*
 * attend:
 *     goto *attend_at(block)
 *
 * is behind the last instruction, so that the way through a block has no branch that is taken. It ends in no label: each costs a
 * translation about as much as an instruction.
 */
static void emit_attend(void) {
    emit_label(tcg, attend);
    void *begun = emit_pointer(tcg, block), *to = unicorn.temp_new(tcg, TCG_TYPE_I64, false);
    emit_call(tcg, (void *)attend_at, to, begun);
    FIELD(void *, unicorn.emit_op(tcg, INDEX_OP_GOTO_PTR), TCG_OP_ARGS) = to;
    unicorn.temp_free(tcg, begun);
    unicorn.temp_free(tcg, to);
}

/* What is in common for the block, which the library is then not to make (tcg_gen_code). */
static _Thread_local const struct common_block *common;

#ifdef CHECK_COMMON_BLOCKS /* every block is translated all the same, and what is in common is to be what the library makes */
#define MOST_CODE 65536
#define ROWS_SIZE (BLOCK_INSTRUCTIONS * (2 + INSN_START_WORDS * 8))
static _Thread_local uint8_t *expected;

static bool is_common(void *tb, unsigned most) {
    if (!expected) expected = malloc(MOST_CODE);
    common = common_blocks_find(running, tb, most, expected);
    return false;
}

static bool jumps_as(const uint8_t *block, const uint8_t *other, unsigned jump) {
    return FIELD(uint16_t, block, TB_JUMP_RESET + 2 * jump) == NO_JUMP ||
           FIELD(uint64_t, block, TB_JUMP_PLACE + 8 * jump) == FIELD(uint64_t, other, TB_JUMP_PLACE + 8 * jump);
}

/* Calls are longer where the library is far: such code is the same in another length. */
static int make_code(void *s, void *tb) {
    uint8_t *block = tb, *rows = (uint8_t *)s + TCG_INSTRUCTION_ENDS, made_rows[ROWS_SIZE], made[TB_JUMP_PLACE + 16];
    int size = unicorn.make_code(s, tb);
    if (!common || size < 0) return size;
    common_blocks_refuse(running); /* it is kept already */
    memcpy(made_rows, rows, sizeof made_rows);
    memcpy(made, block, sizeof made);
    if (common_blocks_finish(common, s, tb) == size &&
        (memcmp(expected, FIELD(uint8_t *, tb, TB_CODE), (size_t)size) || memcmp(made_rows, rows, sizeof made_rows) ||
         memcmp(made, block, TB_JUMP_PLACE) || !jumps_as(made, block, 0) || !jumps_as(made, block, 1)))
        Py_FatalError("baonet: a block is not what is in common for it");
    memcpy(rows, made_rows, sizeof made_rows);
    memcpy(block, made, sizeof made);
    return size;
}
#else
static bool is_common(void *tb, unsigned most) { return (common = common_blocks_find(running, tb, most, FIELD(uint8_t *, tb, TB_CODE))); }
static int make_code(void *s, void *tb) { return common ? common_blocks_finish(common, s, tb) : unicorn.make_code(s, tb); }
#endif

/* One that is done: a page that cannot be fetched from ends it before. */
static void count_translation(struct core *core) {
    core->state.translated++;
    core_strain(core, TRANSLATION_STRAIN);
}

EXPORT void ARCH(gen_intermediate_code)(void *cpu, void *tb, int max_insns) {
    if (!running) {
        unicorn.generate(cpu, tb, max_insns);
        return;
    }
    if (is_common(tb, (unsigned)max_insns)) {
        count_translation(running);
        return;
    }
    common_blocks_begin(running, tb, (unsigned)max_insns);
    uint32_t *tb_flags = &FIELD(uint32_t, tb, TB_CFLAGS), *tcg_flags = &FIELD(uint32_t, tcg, TCG_TB_CFLAGS);
    uint32_t saved = *tb_flags;
    if (saved != *tcg_flags) Py_FatalError("baonet: libunicorn.so.2 is laid out in another way than 2.1.4");
    count_op = NULL;
    block = tb;
    *tb_flags |= CF_PARALLEL;
    *tcg_flags |= CF_PARALLEL;
    observe_begin();
    arch_block_begin(tb);
    unicorn.generate(cpu, tb, max_insns);
    arch_block_end();
    /* A step that was pending leaves a block of no bytes, of which the library takes the last to be on the page before. */
    if (!FIELD(uint16_t, tb, TB_SIZE)) FIELD(uint16_t, tb, TB_SIZE) = 1;
    /* Put back, or the block would never be found again by its flags. */
    *tb_flags = *tcg_flags = saved;
    count_translation(running);
    observe_block_end(tb);
    if (!count_op) return;
    FIELD(uintptr_t, count_op, TCG_OP_ARGS + 8) = FIELD(uint16_t, tb, TB_ICOUNT);
    emit_attend();
    count_op = NULL;
}

EXPORT int ARCH(tcg_gen_code)(void *s, void *tb) {
    return running ? make_code(s, tb) : unicorn.make_code(s, tb);
}

EXPORT void ARCH(check_exit_request)(void *s) { (void)s; }

/* An instruction asks for something. */
EXPORT void ARCH(helper_check_exit_request)(void *argument, uintptr_t value) {
    if (!argument)
        arch_asked(running, value, (uintptr_t)__builtin_return_address(0));
    else /* a Unicorn instance that is not ours: as the library does */
        unicorn.check_exit_request(argument, (uint32_t)value);
}

EXPORT void ARCH(tcg_gen_callN)(void *s, void *function, void *result, int count, void **arguments) {
    if (function == (void *)ARCH(helper_check_exit_request) && running) {
        emit_block_start();
        return;
    }
    library_weigh(s);
    if (running && arch_calls_own(function)) common_blocks_refuse(running);
    unicorn.call(s, function, result, count, arguments);
    if (running && running->model) arch_observe_call(s, function, arguments);
}
