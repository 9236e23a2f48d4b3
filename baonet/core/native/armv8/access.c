/*
 * The slow path of data accesses: the functions that translated code calls where the TLB has no plain entry. They stand
 * in front of the library's, and see the address and the size as the instruction has them, before they are split.
 */
#include "armv8/access.h"

#include "architecture.h"
#include "armv8/align.h"
#include "armv8/arm.h"
#include "armv8/partial.h"
#include "armv8/walk.h"
#include "armv8/watch.h"
#include "leave.h"
#include "rest.h"
#include "tlb.h"

#define MEMOP_SIZE 3u
#define GETPC_ADJUST 2      /* from a return address into the call */

static void check(void *env, uint64_t va, unsigned size, uint32_t index, int access, uintptr_t from) {
    struct core *core = running;
    if (!core || core->env != env) return;
    int mmu_index = index & MMU_INDEX_BITS;
    partial_note(core, va, access == MMU_DATA_STORE, from);
    if (unlikely(va & (size - 1))) align_check(core, va, size, access, mmu_index, from);
    if (unlikely(core->state.arch.watching)) watch_check(core, va, size, access, mmu_index, from);
}

static bool is_done(void *env, uint64_t va, unsigned size, uintptr_t from) {
    return running && running->env == env && unlikely(rest_runs(running)) && partial_is_done(running, va, size, from);
}

/*
 * A store across two pages is done byte by byte, and the library asks of each byte for the alignment of the whole, which has
 * been asked for.
 */
static uint32_t without_alignment(uint32_t index) {
    bool of_a_larger = index >> MMU_INDEX_WIDTH & MEMOP_SIZE;
    return of_a_larger ? index & ~(MEMOP_ALIGN_MASK << MMU_INDEX_WIDTH) : index;
}

uintptr_t arch_access(struct core *core) { return core->scratch.arch.checked_access; }

#define LOAD(name, type, displaced)                                                                                    \
    EXPORT uint64_t helper_##name##_mmu_aarch64(void *env, uint64_t va, uint32_t index, uintptr_t from) {              \
        check(env, va, sizeof(type), index, MMU_DATA_LOAD, from);                                                      \
        const type *host = displaced(env, va, sizeof(type), index, TLB_ENTRY_READ);                                    \
        return host ? *host : arm.name(env, va, index, from);                                                          \
    }
/* `as`: how the library is to see the index. */
#define STORE_AS(name, type, displaced, as)                                                                            \
    EXPORT void helper_##name##_mmu_aarch64(void *env, uint64_t va, type value, uint32_t index, uintptr_t from) {      \
        if (is_done(env, va, sizeof(type), from)) return;                                                              \
        check(env, va, sizeof(type), index, MMU_DATA_STORE, from);                                                     \
        index = as(index);                                                                                             \
        type *host = displaced(env, va, sizeof(type), index, TLB_ENTRY_WRITE);                                         \
        if (host)                                                                                                      \
            *host = value;                                                                                             \
        else                                                                                                           \
            arm.name(env, va, value, index, from);                                                                     \
    }
#define STORE(name, type, displaced) STORE_AS(name, type, displaced, )
/* Of the other order of bytes than the host's. */
#define NOT_DISPLACED(...) NULL

LOAD(ret_ldub, uint8_t, tlb_displaced)
LOAD(le_lduw, uint16_t, tlb_displaced)
LOAD(le_ldul, uint32_t, tlb_displaced)
LOAD(le_ldq, uint64_t, tlb_displaced)
LOAD(be_lduw, uint16_t, NOT_DISPLACED)
LOAD(be_ldul, uint32_t, NOT_DISPLACED)
LOAD(be_ldq, uint64_t, NOT_DISPLACED)
STORE_AS(ret_stb, uint8_t, tlb_displaced, without_alignment)
STORE(le_stw, uint16_t, tlb_displaced)
STORE(le_stl, uint32_t, tlb_displaced)
STORE(le_stq, uint64_t, tlb_displaced)
STORE(be_stw, uint16_t, NOT_DISPLACED)
STORE(be_stl, uint32_t, NOT_DISPLACED)
STORE(be_stq, uint64_t, NOT_DISPLACED)

#define ZVA_SIZE 64u /* DCZID_EL0.BS is 4 */

/*
 * DC ZVA: an alignment fault on Device memory, whatever the address; a store of the whole block to watchpoints. The library
 * takes whoever calls its function for translated code, and finds no instruction for a fault in it when that is us: what can
 * fault is asked for first.
 */
EXPORT void helper_dc_zva_aarch64(void *env, uint64_t va) {
    struct core *core = running;
    if (core && core->env == env) {
        uintptr_t from = (uintptr_t)__builtin_return_address(0) - GETPC_ADJUST;
        int mmu_index = FIELD(uint32_t, env, ENV_HFLAGS) >> FLAG_MMU_INDEX_SHIFT & 15;
        uint64_t ipa;
        uint32_t memory_type;
        if (stage1_translate(core, va, MMU_DATA_STORE, mmu_index, &ipa, &memory_type)) {
            if (align_is_device(core, memory_type))
                arm_cpu_do_unaligned_access_aarch64(core->cpu, va, MMU_DATA_STORE, mmu_index, from);
            if (core->state.arch.watching)
                watch_check(core, va & ~(uint64_t)(ZVA_SIZE - 1), ZVA_SIZE, MMU_DATA_STORE, mmu_index, from);
        }
        arm.probe_access(env, va, 1, MMU_DATA_STORE, mmu_index, from);
    }
    arm.dc_zva(env, va);
}

/*
 * After a fill. A page of RAM that is mapped as Device, or that has a watched byte, is seen at every access: loads and
 * stores by the checks above, and atomic operations, which do not come there, because a store finds the entry invalid.
 * The two addresses may differ in nothing else, or the library takes an atomic operation for one on a device.
 */
bool access_keep_slow(struct core *core, uint64_t va, uint32_t memory_type, uint64_t *read, uint64_t *write) {
    bool watched = core->state.arch.watching && watch_page(core, va);
    if (!watched && !align_maps_device(core, memory_type)) return false;
    if (*read != UINT64_MAX) *read |= TLB_WATCHPOINT;
    if (*write != UINT64_MAX) *write |= TLB_WATCHPOINT | (watched ? TLB_INVALID : 0);
    return true;
}
