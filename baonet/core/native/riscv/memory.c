/*
 * Stage 2: which guest-physical pages exist. RAM and devices are mapped into the library at their guest-physical address, so they
 * cost nothing here; an access to anything else is a guest page fault, which Bao takes. One in an emulated window goes to the
 * hypervisor at once, so the guest need not be left for it.
 */
#include "riscv/memory.h"

#include "architecture.h"
#include "cached.h"
#include "count.h"
#include "emulate.h"
#include "leave.h"
#include "ownership.h"
#include "regions.h"
#include "rest.h"
#include "rights.h"
#include "riscv/encoding.h"
#include "riscv/faults.h"
#include "riscv/imsic.h"
#include "riscv/registers.h"
#include "riscv/riscv.h"
#include "riscv/trap.h"
#include "riscv/walk.h"
#include "tlb.h"
#include "windows.h"

static const uint32_t page_faults[] = {CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE, CAUSE_FETCH_PAGE}; /* of a load, a store, a fetch */

/* The hypervisor's emulation, unless it wants to see the fault itself. Bao zero-extends what is loaded. */
static void emulate(struct core *core, uint64_t ipa, const struct plain_access *access) {
    uint64_t *reg = &core_x(core)[access->reg], value = access->reg ? *reg : 0;
    trap_drop_reservation(core);
    if (access->store) {
        if (emulate_store(core, ipa, access->size, value)) emulate_complete(core, access->length);
        return;
    }
    if (!emulate_load(core, ipa, access->size, &value)) return;
    if (access->reg) *reg = value;
    emulate_complete(core, access->length);
}

static void guest_page_fault(struct core *core, uint64_t va, uint64_t ipa, int access, bool implicit, uintptr_t from) {
    bool emulated = !implicit && access != MMU_INST_FETCH && core->read_emulated && region_emulated(core, ipa);
    if (!implicit && access != MMU_INST_FETCH) imsic_access(core, va, ipa, from);
    if (emulated && core->scratch.silent) {
        core->scratch.need = (struct need){0};
        rest_leave(core, from);
    }
    if (from) ARCH(cpu_restore_state)(core->cpu, from, true);
    fault_describe_guest_page(core, va, ipa, access, implicit);
    struct plain_access plain;
    if (emulated && encoding_plain_access((uint32_t)core->state.exit[EXIT_INSTRUCTION], &plain)) emulate(core, ipa, &plain);
    core_leave_here(core, EXIT_TRAP);
}

static void fill(struct core *core, struct region *region, uint64_t va, struct walk found, int access, int mmu_index) {
    uint64_t ipa = found.ipa & PAGE_MASK;
    va &= PAGE_MASK;
    /* A store has the right, and does it before another node gets the page: that this one has been asked for it since is no matter. */
    if (access != MMU_DATA_STORE && !ownership_is_mine(core, region, ipa)) found.prot &= ~PROT_WRITE_BIT;
    cached_note(region, va, ipa, mmu_index);
    uint8_t *entry = tlb_fill(core, va, ipa, 0, found.prot, access, mmu_index, found.size);
    if (region->host && access != MMU_INST_FETCH && found.prot & PROT_WRITE_BIT) tlb_open(core, region, va, ipa, entry);
    rights_use(core);
}

EXPORT bool riscv_cpu_tlb_fill_riscv64(void *cpu, uint64_t va, int size, int access, int mmu_index, bool probe, uintptr_t from) {
    struct core *core = running;
    if (!core) return riscv.tlb_fill(cpu, va, size, access, mmu_index, probe, from);
    struct walk found;
    uint64_t satp = ENV64(core, ENV_SATP), ipa;
    if (!probe && window_find(core, va, access, mmu_index, satp, &ipa)) guest_page_fault(core, va, ipa, access, false, from);
    enum walked walked = walk(core, va, access, mmu_index, &found);
    struct region *region = walked == WALK_FOUND ? region_find(core, found.ipa) : NULL;
    bool code = region && (region->host || access != MMU_INST_FETCH); /* what a device has is none, and yet may be fetched */
    bool there = region && !region->unassigned && code;
    bool asks = probe && !from; /* the library does; an instruction that probes can wait for what may not be had yet */
    if (walked == WALK_BLOCKED && !asks) rest_leave(core, from);
    if (probe && !there) return false;
    if (walked == WALK_FAULT) {
        FIELD(uint64_t, core->env, ENV_BADADDR) = va;
        riscv.raise(core->env, page_faults[access], from);
    }
    if (region && region->unassigned) fault_access(core, va, access, from);
    if (region && !code) riscv.raise(core->env, CAUSE_ILLEGAL, from);
    if (walked == WALK_FOUND && !region) window_note(core, va, access, mmu_index, satp, found.ipa);
    if (!region) guest_page_fault(core, va, found.ipa, access, walked == WALK_MISSING, from);
    if (!ownership_enter_region(core, region, found.ipa, access == MMU_DATA_STORE)) {
        if (asks) return false;
        rest_leave(core, from);
    }
    fill(core, region, va, found, access, mmu_index);
    return true;
}

/* An atomic access that the fast path cannot do: it is to a device. Stock Unicorn tries again for ever. */
EXPORT void cpu_loop_exit_atomic_riscv64(void *cpu, uintptr_t from) {
    struct core *core = running;
    if (!core) {
        FIELD(int32_t, cpu, CS_EXCEPTION_INDEX) = EXCP_INTERRUPT;
        unicorn.loop_exit_restore(cpu, from);
    }
    ARCH(cpu_restore_state)(cpu, from, true);
    uint32_t instruction = walk_instruction(core, core_pc(core));
    fault_access(core, core_x(core)[RS1(instruction)], MMU_DATA_STORE, 0);
}
