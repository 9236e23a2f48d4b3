/*
 * What is changed in the code that TCG generates. This library is loaded before libunicorn.so.2 with global symbols,
 * and the wheel calls its own functions through the PLT, so the functions below stand in front of the library's.
 *
 * 1. Every block is translated as QEMU does for a multi-threaded guest (CF_PARALLEL): real atomic instructions.
 * 2. A stop is honoured only at the start of a block. Stock Unicorn also checks after every load and store, and a
 *    stop there leaves with the PC still at the access, which then runs twice.
 * 3. At the start of a block, inline: budget -= instructions of the block; leave if that is less than the kick word.
 */
#include "architecture.h"
#include "count.h"
#include "leave.h"
#include "settle.h"

/* A translation costs the host as much as so many exceptions. */
#define TRANSLATION_STRAIN 16

static _Thread_local uint8_t *tcg;
static _Thread_local void *count_op; /* the constant to be patched with the block's instruction count */
static _Thread_local void *block;    /* that is translated */

EXPORT void ARCH(tcg_func_start)(void *s) {
    tcg = s;
    unicorn.func_start(s);
}

EXPORT void ARCH(gen_intermediate_code)(void *cpu, void *tb, int max_insns) {
    if (!running) {
        unicorn.generate(cpu, tb, max_insns);
        return;
    }
    uint32_t *tb_flags = &FIELD(uint32_t, tb, TB_CFLAGS), *tcg_flags = &FIELD(uint32_t, tcg, TCG_TB_CFLAGS);
    uint32_t saved = *tb_flags;
    if (saved != *tcg_flags) Py_FatalError("baonet: libunicorn.so.2 is laid out in another way than 2.1.4");
    count_op = NULL;
    block = tb;
    *tb_flags |= CF_PARALLEL;
    *tcg_flags |= CF_PARALLEL;
    arch_block_begin(tb);
    unicorn.generate(cpu, tb, max_insns);
    arch_block_end();
    /* A step that was pending leaves a block of no bytes, of which the library takes the last to be on the page before. */
    if (!FIELD(uint16_t, tb, TB_SIZE)) FIELD(uint16_t, tb, TB_SIZE) = 1;
    /* Put back, or the block would never be found again by its flags. */
    *tb_flags = *tcg_flags = saved;
    running->state.translated++;
    core_strain(running, TRANSLATION_STRAIN);
    if (count_op) FIELD(uintptr_t, count_op, TCG_OP_ARGS + 8) = FIELD(uint16_t, tb, TB_ICOUNT);
    count_op = NULL;
}

EXPORT void ARCH(check_exit_request)(void *s) { (void)s; }

static uintptr_t argument(void *temp) { return (uintptr_t)tcg + (uintptr_t)temp; }
static void *temp_of(uintptr_t argument) { return (void *)argument; }

static void *emit(int opcode, uintptr_t a, uintptr_t b, uintptr_t c) {
    void *op = unicorn.emit_op(tcg, opcode);
    FIELD(uintptr_t, op, TCG_OP_ARGS) = a;
    FIELD(uintptr_t, op, TCG_OP_ARGS + 8) = b;
    FIELD(uintptr_t, op, TCG_OP_ARGS + 16) = c;
    return op;
}

/*
 *     count = slot->budget - <instructions>;  slot->budget = count
 *     if (count >= slot->kick) goto run
 *     helper(core, block)           may leave the block, or refill the budget and return
 * run:
 */
static void emit_block_start(void *helper) {
    struct core *core = running;
    uintptr_t count = (uintptr_t)unicorn.temp_new(tcg, TCG_TYPE_I32, false);
    uintptr_t other = (uintptr_t)unicorn.temp_new(tcg, TCG_TYPE_I32, false);
    void *count_temp = temp_of(count), *other_temp = temp_of(other);
    void *slot = unicorn.const_i64(tcg, (int64_t)(uintptr_t)core->slot);
    void *label = unicorn.new_label(tcg);
    void *count_handle = (void *)(count - (uintptr_t)tcg), *other_handle = (void *)(other - (uintptr_t)tcg);

    emit(INDEX_OP_LD_I32, count, argument(slot), offsetof(struct slot, budget));
    count_op = unicorn.emit_op(tcg, INDEX_OP_MOVI_I32);
    FIELD(uintptr_t, count_op, TCG_OP_ARGS) = other;
    emit(INDEX_OP_SUB_I32, count, count, other);
    emit(INDEX_OP_ST_I32, count, argument(slot), offsetof(struct slot, budget));
    emit(INDEX_OP_LD_I32, other, argument(slot), offsetof(struct slot, kick));
    unicorn.brcond_i32(tcg, TCG_COND_GE, count_handle, other_handle, label);
    void *core_constant = unicorn.const_i64(tcg, (int64_t)(uintptr_t)core);
    void *block_constant = unicorn.const_i64(tcg, (int64_t)(uintptr_t)block);
    void *arguments[] = {temp_of(argument(core_constant)), temp_of(argument(block_constant))};
    unicorn.call(tcg, helper, NULL, 2, arguments);
    *(uint32_t *)label |= 1; /* TCGLabel.present */
    FIELD(uintptr_t, unicorn.emit_op(tcg, INDEX_OP_SET_LABEL), TCG_OP_ARGS) = (uintptr_t)label;

    unicorn.temp_free(tcg, arguments[0]);
    unicorn.temp_free(tcg, arguments[1]);
    unicorn.temp_free(tcg, temp_of(argument(slot)));
    unicorn.temp_free(tcg, count_temp);
    unicorn.temp_free(tcg, other_temp);
}

EXPORT void ARCH(helper_check_exit_request)(void *core, uintptr_t block);

EXPORT void ARCH(tcg_gen_callN)(void *s, void *function, void *result, int count, void **arguments) {
    if (function == (void *)ARCH(helper_check_exit_request) && running) {
        emit_block_start(function);
        return;
    }
    library_weigh(s);
    unicorn.call(s, function, result, count, arguments);
}

/* The slow side of a block start: the budget ran out, or somebody wants attention. Or an instruction asks for something. */
EXPORT void ARCH(helper_check_exit_request)(void *argument, uintptr_t value) {
    struct core *core = running;
    if (core != argument) { /* a Unicorn instance that is not ours: as the library does */
        unicorn.check_exit_request(argument, (uint32_t)value);
        return;
    }
    if (value < ASKED_END) { /* no block is there */
        arch_asked(core, value, (uintptr_t)__builtin_return_address(0));
        return;
    }
    const uint8_t *begun = (const uint8_t *)value;
    core_settle(core, FIELD(uint16_t, begun, TB_ICOUNT));
    if (core->scratch.leave_block) {
        core->scratch.leave_block = false;
        count_leave_block(core, begun);
        unicorn.loop_exit(core->cpu);
    }
}
