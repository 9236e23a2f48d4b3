/*
 * An instruction is one access, however many the library makes of it (LDP: two, LD4: up to 64): it is told behind the last of
 * them, with the first address. Those of A32 and T32 are told each by itself: the library may jump over them. If one of these is
 * refused the whole instruction is done again, and what it had told before was not yet.
 */
#include "armv8/observed.h"

#include "architecture.h"
#include "armv8/arm.h"
#include "armv8/encoding64.h"
#include "emit.h"
#include "leave.h"
#include "modelled.h"
#include "observe.h"

#define MEMOP_SIZE 3u
#define ZVA_SIZE 64u

/* The instruction that is being translated, of how many accesses, and how many there were. */
static _Thread_local uint32_t instruction;
static _Thread_local unsigned parts, seen;
static _Thread_local bool big_endian; /* data, in the block: the library begins with the highest of some */

EXPORT void helper_sve_ld1bb_r_aarch64(void *env, void *memsys, uint64_t word, uint32_t none);
EXPORT void helper_dc_zva_aarch64(void *env, uint64_t va);

static void *context(void) { return FIELD(void *, running->uc, UC_TCG_CTX); }

static void prefetch(uint64_t pc, uint32_t word, bool literal) {
    void *tcg = context();
    if (literal) {
        void *address = unicorn.const_i64(tcg, (int64_t)(pc + (uint64_t)encoding64_literal(word)));
        observe_access(tcg, address, 1, MEMSYS_PREFETCH);
        unicorn.temp_free(tcg, emit_temp(tcg, address));
        return;
    }
    void *arguments[] = {emit_pointer(tcg, running->env), emit_pointer(tcg, running->model->memsys),
                         emit_temp(tcg, unicorn.const_i64(tcg, (int64_t)word)), emit_number(tcg, 0)};
    library_weigh(tcg);
    unicorn.call(tcg, (void *)helper_sve_ld1bb_r_aarch64, NULL, 4, arguments);
    for (int i = 0; i < 4; i++) unicorn.temp_free(tcg, arguments[i]);
}

/* Of a prefetch by a register, of which the library makes nothing: this helper sees the guest's registers. */
EXPORT void helper_sve_ld1bb_r_aarch64(void *env, void *memsys, uint64_t word, uint32_t none) {
    (void)env, (void)none;
    ARCH_OBSERVED_OTHER(memsys, encoding64_prefetched((uint32_t)word, core_x(running)), modelled_info(1, MEMSYS_PREFETCH));
}

void observed_block(uint32_t flags) {
    instruction = 0;
    big_endian = flags & FLAG_BIG_ENDIAN;
}

void observed_instruction(uint64_t pc, uint32_t word) {
    if (!running || !running->model) return;
    bool literal;
    instruction = word;
    parts = encoding64_parts(word);
    seen = 0;
    if (big_endian && parts > 1) observe_several(context(), pc);
    if (encoding64_is_prefetch(word, &literal)) prefetch(pc, word, literal);
}

void observed_instruction32(uint64_t pc, bool several) {
    parts = 1;
    if (several && running && running->model) observe_several(context(), pc);
}

void observed_access(void *tcg, void *address, uint32_t memop, enum memsys_kind kind) {
    if (!running || !running->model) return;
    unsigned size = 1u << (memop & MEMOP_SIZE);
    if (big_endian || parts == 1) {
        observe_access(tcg, address, size, kind);
        return;
    }
    if (++seen < parts) return;
    void *first = unicorn.temp_new(tcg, TCG_TYPE_I64, false);
    arm.addi_i64(tcg, emit_handle(tcg, first), address, -(int64_t)((parts - 1) * size));
    observe_access(tcg, emit_handle(tcg, first), parts * size, kind);
    unicorn.temp_free(tcg, first);
}

void observed_exchange(void *tcg, void *address, uint32_t memop) {
    observed_access(tcg, address, memop, encoding64_loads_and_stores(instruction) ? MEMSYS_ATOMIC : MEMSYS_STORE);
}

void arch_observe_call(void *tcg, const void *function, void *const *arguments) {
    if (function == (void *)helper_dc_zva_aarch64)
        observe_access(tcg, emit_handle(tcg, arguments[1]), ZVA_SIZE, MEMSYS_ZERO);
    else if (function == (void *)arm.exchange_pair)
        observe_access(tcg, emit_handle(tcg, arguments[1]), 16, MEMSYS_STORE);
    else if (function == (void *)arm.compare_and_swap_pair)
        observe_access(tcg, emit_handle(tcg, arguments[2]), 16, MEMSYS_ATOMIC);
}

/* LDADD and the like, SWP. */
#define FETCH(name)                                                                                                          \
    EXPORT void tcg_gen_atomic_##name##_i64_aarch64(void *s, void *result, void *address, void *value, uint64_t index,       \
                                                    uint32_t memop) {                                                        \
        arm.gen_##name(s, result, address, value, index, memop);                                                          \
        observed_access(s, address, memop, MEMSYS_ATOMIC);                                                                   \
    }
ATOMIC_OPERATIONS(FETCH)
