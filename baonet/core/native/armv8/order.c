/*
 * The order of loads and stores, where the library's code has another than the architecture (Arm ARM B2.3): a store-release
 * followed by a load-acquire stays in order, so the barrier comes after the store, not before.
 */
#include "armv8/order.h"

#include "architecture.h"
#include "armv8/align.h"
#include "armv8/arm.h"
#include "armv8/observed.h"
#include "broadcast.h"
#include "emit.h"
#include "leave.h"

static _Thread_local bool release_pending;

void order_block(void) { release_pending = false; }

/* TCG_MO_ALL and TCG_BAR_STRL: only STLR and STLLR and the store-release exclusives ask for this. */
#define RELEASE_BARRIER (0x0f | 0x20)
#define FULL_BARRIER (0x0f | 0x30)

EXPORT void helper_check_exit_request_aarch64(void *none, uintptr_t asked);

#define ASK_BARRIER 0 /* all that is asked */

/* Before a barrier is over, maintenance is. */
static void finish_maintenance(void *s) {
    void *none = emit_pointer(s, NULL), *asked = emit_temp(s, unicorn.const_i64(s, ASK_BARRIER)), *arguments[] = {none, asked};
    unicorn.call(s, helper_check_exit_request_aarch64, NULL, 2, arguments);
    unicorn.temp_free(s, none);
    unicorn.temp_free(s, asked);
}

void arch_asked(struct core *core, uintptr_t number, uintptr_t from) {
    (void)number, (void)from;
    broadcast_finish(core);
}

EXPORT void tcg_gen_mb_aarch64(void *s, uint32_t type) {
    if (running && type == RELEASE_BARRIER) {
        release_pending = true;
        return;
    }
    arm.mb(s, type);
    if (running && running->residence && type == FULL_BARRIER) finish_maintenance(s);
}

static void release(void *s) {
    if (!release_pending) return;
    release_pending = false;
    arm.mb(s, FULL_BARRIER);
}

EXPORT void tcg_gen_qemu_st_i64_aarch64(void *s, void *value, void *address, uint64_t index, uint32_t memop) {
    library_weigh(s);
    arm.st_i64(s, value, address, index, align_access(memop));
    observed_access(s, address, memop, MEMSYS_STORE);
    release(s);
}

EXPORT void tcg_gen_qemu_st_i32_aarch64(void *s, void *value, void *address, uint64_t index, uint32_t memop) {
    library_weigh(s);
    arm.st_i32(s, value, address, index, align_access(memop));
    observed_access(s, address, memop, MEMSYS_STORE);
    release(s);
}

/*
 * LDRD r0, r1, [r0]: the library writes the first register before it loads the second, and would begin anew with another
 * address after a fault, or a page that it may not have yet. So both words are loaded before.
 */
static void try_both(void *s, void *address, uint64_t index, uint32_t memop) {
    void *word = unicorn.temp_new(s, TCG_TYPE_I32, false), *second = unicorn.temp_new(s, TCG_TYPE_I64, false);
    arm.addi_i64(s, emit_handle(s, second), address, 4);
    arm.ld_i32(s, emit_handle(s, word), address, index, memop);
    arm.ld_i32(s, emit_handle(s, word), emit_handle(s, second), index, memop);
    unicorn.temp_free(s, second);
    unicorn.temp_free(s, word);
}

EXPORT void tcg_gen_qemu_ld_i32_aarch64(void *s, void *value, void *address, uint64_t index, uint32_t memop) {
    library_weigh(s);
    bool loses_base = align_loses_base();
    uint32_t aligned = align_access(memop);
    if (loses_base) try_both(s, address, index, aligned);
    arm.ld_i32(s, value, address, index, aligned);
    observed_access(s, address, memop, MEMSYS_LOAD);
}

/* A store-release exclusive is a locked compare-and-exchange, which is a full barrier by itself. */
EXPORT void tcg_gen_atomic_cmpxchg_i64_aarch64(void *s, void *result, void *address, void *compare, void *value,
                                               uint64_t index, uint32_t memop) {
    release_pending = false;
    arm.cmpxchg_i64(s, result, address, compare, value, index, memop);
    observed_exchange(s, address, memop);
}

EXPORT void tcg_gen_atomic_cmpxchg_i32_aarch64(void *s, void *result, void *address, void *compare, void *value,
                                               uint64_t index, uint32_t memop) {
    release_pending = false;
    arm.cmpxchg_i32(s, result, address, compare, value, index, memop);
    observed_exchange(s, address, memop);
}
