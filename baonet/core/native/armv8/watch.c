/*
 * Watchpoints (Arm ARM D2.10): the library has their registers, and nothing behind them. A page with a watched byte never
 * leaves the slow path of the TLB, and what is on the slow path is compared here, before the access. Nothing else pays.
 */
#include "armv8/watch.h"

#include "armv8/aarch32.h"
#include "armv8/arm.h"
#include "armv8/debug_state.h"
#include "armv8/encoding64.h"
#include "armv8/walk.h"
#include "count.h"
#include "leave.h"
#include "regions.h"

#define MDSCR_KDE (1u << 13)
#define MDSCR_MDE (1u << 15)
#define PSTATE_D 0x200u

#define CONTROL_ENABLE 1u
#define CONTROL_LOAD (1u << 3)
#define CONTROL_STORE (1u << 4)
#define CONTROL_LINKED (1u << 20)
#define SECURE_ONLY 2u /* SSC */
#define LINKED_CONTEXT 3u /* DBGBCR.BT */

#define WATCHPOINT_SYNDROME (0x34u << 26 | 1u << 25 | 0x22u)
#define SAME_EL (1u << 26)
#define WNR (1u << 6)

static uint64_t value_of(struct core *core, unsigned n) { return FIELD(uint64_t, core->env, ENV_DBGWVR + 8 * n); }
static uint64_t control_of(struct core *core, unsigned n) { return FIELD(uint64_t, core->env, ENV_DBGWCR + 8 * n); }

/* The watched bytes, of which a bit of `bytes` each in a double word at `first`, or all up to `last`. */
struct range {
    uint64_t first, last;
    unsigned bytes;
};

static struct range range_of(struct core *core, unsigned n) {
    uint64_t value = value_of(core, n), control = control_of(core, n);
    unsigned mask = control >> 24 & 31, select = control >> 5 & 0xff;
    if (mask == 1 || mask == 2) return (struct range){.first = 1}; /* reserved: none */
    if (mask) {
        uint64_t low = (1ull << mask) - 1;
        return (struct range){value & ~low, value | low, 0xff};
    }
    if (value & 4) select = (select & 15) << 4;
    return (struct range){value & ~7ull, value | 7, select};
}

/* The lowest watched byte among `size` at `va`, as an offset from there; -1: none. */
static int64_t match(struct range range, uint64_t va, uint64_t size) {
    uint64_t first = va > range.first ? va : range.first, end = va + size - 1;
    uint64_t last = end < range.last ? end : range.last;
    for (uint64_t byte = first; byte <= last && last - byte < size; byte++)
        if (range.last - range.first > 7 || range.bytes >> (byte - range.first) & 1) return (int64_t)(byte - va);
    return -1;
}

void watch_update(struct core *core) {
    core->state.arch.watching = 0;
    for (unsigned n = 0; n < WATCHPOINTS; n++)
        if (control_of(core, n) & CONTROL_ENABLE) core->state.arch.watching |= 1u << n;
    unicorn.tlb_flush(core->cpu);
}

/* After a write of a watchpoint's registers. */
EXPORT void hw_watchpoint_update_aarch64(void *cpu, int n) {
    struct core *core = running;
    if (!core || core->cpu != cpu || n >= WATCHPOINTS) return;
    if (core->state.arch.watching >> n & 1 || control_of(core, (unsigned)n) & CONTROL_ENABLE) watch_update(core);
}

bool watch_page(struct core *core, uint64_t va) {
    for (unsigned n = 0; n < WATCHPOINTS; n++) {
        if (!(core->state.arch.watching >> n & 1)) continue;
        struct range range = range_of(core, n);
        if (range.bytes && range.first < (va & PAGE_MASK) + PAGE_SIZE && range.last >= (va & PAGE_MASK)) return true;
    }
    return false;
}

/* The context-aware breakpoint that a watchpoint is linked to. */
static bool linked_context_matches(struct core *core, unsigned n) {
    if (n < BREAKPOINTS - CONTEXT_BREAKPOINTS || n >= BREAKPOINTS) return false;
    uint64_t control = FIELD(uint64_t, core->env, ENV_DBGBCR + 8 * n);
    if (!(control & CONTROL_ENABLE) || (control >> 20 & 15) != LINKED_CONTEXT) return false;
    return (uint32_t)FIELD(uint64_t, core->env, ENV_DBGBVR + 8 * n) == (uint32_t)FIELD(uint64_t, core->env, ENV_CONTEXTIDR_EL1);
}

static bool at_el1(struct core *core) {
    return FIELD(uint32_t, core->env, ENV_AARCH64) && FIELD(uint32_t, core->env, ENV_PSTATE) & PSTATE_EL;
}

static bool debug_exceptions_enabled(struct core *core) {
    uint64_t mdscr = FIELD(uint64_t, core->env, ENV_MDSCR_EL1);
    if (!(mdscr & MDSCR_MDE) || debug_locked(core->env)) return false;
    return !at_el1(core) || (mdscr & MDSCR_KDE && !(FIELD(uint64_t, core->env, ENV_DAIF) & PSTATE_D));
}

/* A linked breakpoint, the security state and the level of the access, which is EL0's for LDTR and the like. */
static bool conditions_hold(struct core *core, uint64_t control, int mmu_index) {
    if ((control >> 14 & 3) == SECURE_ONLY || !(control >> (mmu_index ? 1 : 2) & 1)) return false;
    return !(control & CONTROL_LINKED) || linked_context_matches(core, control >> 16 & 15);
}

/* Of the watchpoints that this access would hit: is one for loads, for stores; and where. */
static int64_t hit(struct core *core, uint64_t va, uint64_t size, uint64_t kinds, int mmu_index, uint64_t *hit_kinds) {
    int64_t where = -1;
    *hit_kinds = 0;
    if (!debug_exceptions_enabled(core)) return -1;
    for (unsigned n = 0; n < WATCHPOINTS; n++) {
        uint64_t control = control_of(core, n);
        if (!(core->state.arch.watching >> n & 1) || !(control & kinds) || !conditions_hold(core, control, mmu_index)) continue;
        int64_t at = match(range_of(core, n), va, size);
        if (at < 0) continue;
        *hit_kinds |= control & kinds;
        if (where < 0 || at < where) where = at;
    }
    return where;
}

static void raise(struct core *core, uint64_t far, bool write, uintptr_t from) {
    cpu_restore_state_aarch64(core->cpu, from, true);
    FIELD(uint64_t, core->env, ENV_EXCEPTION_VADDRESS) = far;
    uint32_t syndrome = WATCHPOINT_SYNDROME | (at_el1(core) ? SAME_EL : 0) | (write ? WNR : 0);
    arm.raise_exception(core->env, EXCP_DATA_ABORT, syndrome, 1);
}

/* A load or store on the slow path. A fault of the translation comes first, and the library finds it after this. */
void watch_check(struct core *core, uint64_t va, uint64_t size, int access, int mmu_index, uintptr_t from) {
    uint64_t kinds, ipa;
    uint32_t memory_type;
    bool write = access == MMU_DATA_STORE;
    int64_t at = hit(core, va, size, write ? CONTROL_STORE : CONTROL_LOAD, mmu_index, &kinds);
    if (at < 0 || !stage1_translate(core, va, access, mmu_index, &ipa, &memory_type) || !region_find(core, ipa)) return;
    raise(core, va + (uint64_t)at, write, from);
}

/* In AArch32 state there are store exclusives alone; the PC is left where it is, as the IT state would come with it. */
static uint32_t atomic_instruction(struct core *core, uintptr_t from) {
    if (aarch32_state(core)) return 0;
    unicorn.restore_state(core->cpu, from, false);
    return arm.load_code(core->env, core_pc(core));
}

/*
 * An atomic operation, with the translation done: it loads and stores, unless it is a store exclusive. The library has the
 * size of one half of a pair.
 */
void watch_check_atomic(struct core *core, uint64_t va, uint64_t size, int mmu_index, uintptr_t from) {
    uint32_t word = atomic_instruction(core, from);
    if (encoding64_is_exclusive_pair(word)) size = 16;
    uint64_t kinds;
    int64_t at = hit(core, va, size, CONTROL_STORE | (encoding64_loads_and_stores(word) ? CONTROL_LOAD : 0), mmu_index, &kinds);
    if (at >= 0) raise(core, va + (uint64_t)at, !(kinds & CONTROL_LOAD), from);
}
