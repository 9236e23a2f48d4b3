/*
 * The calls are of helpers that the library has for instructions which its CPUs lack here (ARCH_OBSERVED_...): a helper that it
 * does not know it does not call. They are known to touch no register of the guest, so these stay where they are.
 */
#include "observe.h"

#include "emit.h"
#include "leave.h"
#include "modelled.h"

/*
 *     if (block->seen != memsys->fetch_epoch) helper(memsys, block)
 */
void observe_block(void *tcg, void *block) {
    if (FIELD(uint32_t, block, TB_CFLAGS) & CF_NOCACHE) return;
    struct memsys *memsys = running->model->memsys;
    void *seen = unicorn.temp_new(tcg, TCG_TYPE_I64, false), *epoch = unicorn.temp_new(tcg, TCG_TYPE_I64, false);
    void *of_block = emit_pointer(tcg, block), *of_model = emit_pointer(tcg, &memsys->fetch_epoch);
    void *label = unicorn.new_label(tcg);

    emit_operation(tcg, INDEX_OP_LD_I64, seen, of_block, TB_ORIGINAL);
    emit_operation(tcg, INDEX_OP_LD_I64, epoch, of_model, 0);
    unicorn.brcond_i64(tcg, TCG_COND_EQ, emit_handle(tcg, seen), emit_handle(tcg, epoch), label);
    void *arguments[] = {emit_pointer(tcg, memsys), emit_pointer(tcg, block), emit_number(tcg, 0)};
    unicorn.call(tcg, (void *)ARCH_OBSERVED_BLOCK, NULL, 3, arguments);
    emit_label(tcg, label);

    for (int i = 0; i < 3; i++) unicorn.temp_free(tcg, arguments[i]);
    unicorn.temp_free(tcg, of_block);
    unicorn.temp_free(tcg, of_model);
    unicorn.temp_free(tcg, seen);
    unicorn.temp_free(tcg, epoch);
}

static void *helper_of(enum memsys_kind kind) {
    switch (kind) {
    case MEMSYS_LOAD: return (void *)ARCH_OBSERVED_LOAD;
    case MEMSYS_STORE: return (void *)ARCH_OBSERVED_STORE;
    default: return (void *)ARCH_OBSERVED_OTHER;
    }
}

void observe_access(void *tcg, void *address, unsigned size, enum memsys_kind kind) {
    void *arguments[] = {emit_pointer(tcg, running->model->memsys), emit_temp(tcg, address), emit_number(tcg, modelled_info(size, kind))};
    library_weigh(tcg);
    unicorn.call(tcg, helper_of(kind), NULL, 3, arguments);
    unicorn.temp_free(tcg, arguments[0]);
    unicorn.temp_free(tcg, arguments[2]);
}
