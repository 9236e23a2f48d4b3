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
#include "emit.h"
#include "leave.h"
#include "observe.h"
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
    observe_begin();
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
    observe_block_end(tb);
    count_op = NULL;
}

EXPORT void ARCH(check_exit_request)(void *s) { (void)s; }

/*
 *     count = slot->budget - <instructions>;  slot->budget = count
 *     if (count >= slot->kick) goto run
 *     helper(core, block)           may leave the block, or refill the budget and return
 * run:
 */
static void emit_block_start(void *helper) {
    struct core *core = running;
    void *count = unicorn.temp_new(tcg, TCG_TYPE_I32, false), *other = unicorn.temp_new(tcg, TCG_TYPE_I32, false);
    void *slot = emit_pointer(tcg, core->slot), *label = unicorn.new_label(tcg);

    emit_operation(tcg, INDEX_OP_LD_I32, count, slot, offsetof(struct slot, budget));
    count_op = unicorn.emit_op(tcg, INDEX_OP_MOVI_I32);
    FIELD(void *, count_op, TCG_OP_ARGS) = other;
    emit_operation(tcg, INDEX_OP_SUB_I32, count, count, (uintptr_t)other);
    emit_operation(tcg, INDEX_OP_ST_I32, count, slot, offsetof(struct slot, budget));
    emit_operation(tcg, INDEX_OP_LD_I32, other, slot, offsetof(struct slot, kick));
    unicorn.brcond_i32(tcg, TCG_COND_GE, emit_handle(tcg, count), emit_handle(tcg, other), label);
    void *arguments[] = {emit_pointer(tcg, core), emit_pointer(tcg, block)};
    unicorn.call(tcg, helper, NULL, 2, arguments);
    emit_label(tcg, label);

    unicorn.temp_free(tcg, arguments[0]);
    unicorn.temp_free(tcg, arguments[1]);
    unicorn.temp_free(tcg, slot);
    unicorn.temp_free(tcg, count);
    unicorn.temp_free(tcg, other);
    if (core->model) observe_block(tcg, block);
}

EXPORT void ARCH(helper_check_exit_request)(void *core, uintptr_t block);

EXPORT void ARCH(tcg_gen_callN)(void *s, void *function, void *result, int count, void **arguments) {
    if (function == (void *)ARCH(helper_check_exit_request) && running) {
        emit_block_start(function);
        return;
    }
    library_weigh(s);
    unicorn.call(s, function, result, count, arguments);
    if (running && running->model) arch_observe_call(s, function, arguments);
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
