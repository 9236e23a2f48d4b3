/*
 * Operations of TCG, in front of or behind those that the library emits for an instruction. What its functions are given for a
 * value is a handle: how far the temporary is from the context; operations have the temporary itself.
 */
#ifndef BAONET_EMIT_H
#define BAONET_EMIT_H

#include "library.h"

static inline void *emit_temp(void *tcg, void *handle) { return (void *)((uintptr_t)tcg + (uintptr_t)handle); }
static inline void *emit_handle(void *tcg, void *temp) { return (void *)((uintptr_t)temp - (uintptr_t)tcg); }

static inline void *emit_operation(void *tcg, int opcode, void *a, void *b, uintptr_t c) {
    void *op = unicorn.emit_op(tcg, opcode);
    FIELD(void *, op, TCG_OP_ARGS) = a;
    FIELD(void *, op, TCG_OP_ARGS + 8) = b;
    FIELD(uintptr_t, op, TCG_OP_ARGS + 16) = c;
    return op;
}

/* Temporaries, to be freed by unicorn.temp_free(). None outlives a label or a branch. */
static inline void *emit_pointer(void *tcg, const volatile void *address) {
    return emit_temp(tcg, unicorn.const_i64(tcg, (int64_t)(uintptr_t)address));
}
static inline void *emit_number(void *tcg, uint32_t number) { return emit_temp(tcg, unicorn.const_i32(tcg, (int32_t)number)); }

/*
 * result = function(argument), of any function, where the library's own way (tcg_gen_callN) is for its helpers only. No register of
 * the guest is in a register of the host, nor is one looked at (TCG_CALL_NO_READ_GLOBALS): so begins what follows a label.
 */
static inline void emit_call(void *tcg, void *function, void *result, void *argument) {
    uint8_t *op = emit_operation(tcg, INDEX_OP_CALL, result, argument, (uintptr_t)function);
    op[TCG_OP_PARAMETERS] = 1 << 4 | 1; /* values that it gives, and is given */
    FIELD(uintptr_t, op, TCG_OP_ARGS + 24) = TCG_CALL_NO_READ_GLOBALS;
}

static inline void emit_label(void *tcg, void *label) {
    *(uint32_t *)label |= 1; /* TCGLabel.present */
    FIELD(void *, unicorn.emit_op(tcg, INDEX_OP_SET_LABEL), TCG_OP_ARGS) = label;
}

#endif
