/*
 * Stage 2: which guest-physical pages exist. RAM and devices are mapped into Unicorn at their IPA, so they cost nothing
 * here; an access to anything else ends in a stage-2 abort with the syndrome that hardware would give (Arm ARM
 * D17.2.37, ISS encoding for a data abort). An abort in an emulated window goes to the hypervisor at once, so the
 * guest need not be left for it.
 */
#include "armv8/stage2.h"

#include "architecture.h"
#include "armv8/aarch32.h"
#include "armv8/access.h"
#include "armv8/arm.h"
#include "armv8/bus.h"
#include "armv8/encoding64.h"
#include "armv8/walk.h"
#include "armv8/watch.h"
#include "cached.h"
#include "count.h"
#include "emulate.h"
#include "leave.h"
#include "ownership.h"
#include "rest.h"
#include "regions.h"
#include "rights.h"
#include "tlb.h"
#include "windows.h"

#define ESR_DATA_ABORT (0x24u << 26)
#define ESR_INSTRUCTION_ABORT (0x20u << 26)
#define ESR_IL (1u << 25)
#define ESR_ISV (1u << 24)
#define ESR_S1PTW (1u << 7)
#define ESR_WNR (1u << 6)
#define TRANSLATION_FAULT_LEVEL3 0x07u
#define PERMISSION_FAULT_LEVEL3 0x0fu
#define ISS_ACCESS 0x01ffc000u /* ISV, SAS, SSE, SRT, SF, AR */

/* The hypervisor's emulation, unless it wants to see the abort itself. Bao zero-extends what is loaded, whatever SSE says. */
static void emulate(struct core *core, uint64_t ipa, uint32_t esr) {
    unsigned target = esr >> 16 & 31, size = 1u << (esr >> 22 & 3), length = esr & ESR_IL ? 4 : 2;
    if (esr & ESR_WNR) {
        if (emulate_store(core, ipa, size, target == 31 ? 0 : core_x(core)[target])) emulate_complete(core, length);
        return;
    }
    uint64_t value;
    if (!emulate_load(core, ipa, size, &value)) return;
    if (target != 31) core_x(core)[target] = value;
    emulate_complete(core, length);
}

static void stage2_abort(struct core *core, uint64_t va, uint64_t ipa, int access, uintptr_t from, uint32_t fault) {
    if (core->scratch.silent && core->read_emulated && region_emulated(core, ipa)) {
        core->scratch.need = (struct need){0};
        rest_leave(core, from);
    }
    if (from) cpu_restore_state_aarch64(core->cpu, from, true);
    arch_expose(core);
    core->state.exit[EXIT_FAR] = va;
    core->state.exit[EXIT_IPA] = ipa;
    if (access == MMU_INST_FETCH) {
        core->state.exit[EXIT_ESR] = ESR_INSTRUCTION_ABORT | ESR_IL | fault;
        core_leave_here(core, EXIT_FAULT);
    }
    uint32_t esr = ESR_DATA_ABORT | ESR_IL | fault | (access == MMU_DATA_STORE ? ESR_WNR : 0);
    uint32_t template = FIELD(uint32_t, core->env, ENV_EXCEPTION_SYNDROME);
    uint32_t instruction = from && !aarch32_state(core) ? arm.load_code(core->env, core_pc(core)) : 0;
    /* The library's template is valid for these too; a CPU's is not (Arm ARM D17.2.37, ISV). */
    if (encoding64_writes_back(instruction)) template = 0;
    if (encoding64_loads_and_stores(instruction)) esr &= ~ESR_WNR;
    if ((template & ESR_ISV) && fault == TRANSLATION_FAULT_LEVEL3) {
        esr |= template & ISS_ACCESS;
        if (!(template & ESR_IL)) esr &= ~ESR_IL; /* a T32 instruction of 16 bits */
    }
    core->state.exit[EXIT_ESR] = esr;
    if ((esr & ESR_ISV) && core->read_emulated && region_emulated(core, ipa)) emulate(core, ipa, esr);
    core_leave_here(core, EXIT_DATA_ABORT);
}

/* Where the guest's own walk could not load a descriptor. `more`: what else the syndrome has. */
void stage2_abort_on_walk(struct core *core, uint64_t va, int access, uint32_t more, uintptr_t from) {
    stage2_abort(core, va, core->scratch.arch.walk.ipa, access, from, ESR_S1PTW | TRANSLATION_FAULT_LEVEL3 | more);
}

static void fill(struct core *core, struct region *region, uint64_t va, uint64_t ipa, uint32_t attributes, int prot,
                 int access, int mmu_index, uint64_t page_size, uint32_t memory_type) {
    /* A store has the right, and does it before another node gets the page: that this one has been asked for it since is no matter. */
    if (access != MMU_DATA_STORE && !ownership_is_mine(core, region, ipa)) prot &= ~PROT_WRITE_BIT;
    cached_note(region, va, ipa, mmu_index);
    uint8_t *entry = tlb_fill(core, va, ipa, attributes, prot, access, mmu_index, page_size);
    uint64_t *read = &FIELD(uint64_t, entry, TLB_ENTRY_READ), *write = &FIELD(uint64_t, entry, TLB_ENTRY_WRITE);
    bool slow = !region->host || access_keep_slow(core, va, memory_type, read, write);
    if (!slow && access != MMU_INST_FETCH && prot & PROT_WRITE_BIT) tlb_open(core, region, va, ipa, entry);
    rights_use(core);
}

/* Of an atomic operation, which the library describes as a store. */
static bool load_faults_too(struct core *core, uint64_t va, int mmu_index, uintptr_t from) {
    uint64_t ipa;
    uint32_t memory_type;
    if (aarch32_state(core)) return false;
    unicorn.restore_state(core->cpu, from, false);
    return encoding64_loads_and_stores(arm.load_code(core->env, core_pc(core))) &&
           !stage1_translate(core, va, MMU_DATA_LOAD, mmu_index, &ipa, &memory_type);
}

EXPORT bool arm_cpu_tlb_fill_aarch64(void *cpu, uint64_t va, int size, int access, int mmu_index, bool probe,
                                     uintptr_t from) {
    struct core *core = running;
    if (!core) return arm.tlb_fill(cpu, va, size, access, mmu_index, probe, from);
    uint64_t ipa, page_size;
    uint32_t attributes = 0;
    int prot, wanted = access;
    uint8_t info[FAULT_INFO_SIZE] __attribute__((aligned(8))) = {0};
    uint32_t memory_type = 0;
    uint64_t tables = FIELD(uint64_t, core->env, va >> 55 & 1 ? ENV_TTBR1_EL1 : ENV_TTBR0_EL1);
    if (!probe && window_find(core, va, access, mmu_index, tables, &ipa))
        stage2_abort(core, va, ipa, access, from, TRANSLATION_FAULT_LEVEL3);
    if (get_phys_addr_aarch64(core->env, va, access, mmu_index | MMU_INDEX_A, &ipa, &attributes, &prot, &page_size, info,
                              &memory_type)) {
        if (core->scratch.arch.walk.blocked) {
            if (probe) return false;
            rest_leave(core, from);
        }
        if (!probe && core->scratch.arch.walk.failed) stage2_abort_on_walk(core, va, access, 0, from);
        /* The library takes it for a translation fault. */
        if (!probe && core->scratch.arch.walk.refused) bus_abort_on_walk(core, va, FIELD(uint32_t, info, FAULT_LEVEL), access, from);
        /* The guest's own fault. */
        if (!probe && from && access == MMU_DATA_STORE && load_faults_too(core, va, mmu_index, from)) access = MMU_DATA_LOAD;
        if (!arm.tlb_fill(cpu, va, size, access, mmu_index, probe, from)) return false;
        /* It walks again, and another CPU has mapped the page meanwhile: what it has made of that knows of no stage 2. */
        windows_flush_page(core, va & PAGE_MASK, (uint16_t)(1u << mmu_index));
        return arm_cpu_tlb_fill_aarch64(cpu, va, size, wanted, mmu_index, probe, from);
    }
    struct region *region = region_find(core, ipa);
    if (!region) {
        if (probe) return false;
        window_note(core, va, access, mmu_index, tables, ipa);
        stage2_abort(core, va, ipa, access, from, TRANSLATION_FAULT_LEVEL3);
    }
    if (!region->host && access == MMU_INST_FETCH) { /* Bao maps devices execute-never */
        if (probe) return false;
        stage2_abort(core, va, ipa, access, from, PERMISSION_FAULT_LEVEL3);
    }
    if (region->unassigned) {
        if (probe) return false;
        bus_abort(core, va, access, from);
    }
    if (!ownership_enter_region(core, region, ipa, access == MMU_DATA_STORE)) {
        if (probe) return false;
        rest_leave(core, from);
    }
    if (core->state.arch.watching && access == MMU_DATA_STORE && !probe && from != core->scratch.arch.checked_access &&
        watch_page(core, va))
        watch_check_atomic(core, va, (uint64_t)size, mmu_index, from);
    if (page_size >= PAGE_SIZE) {
        ipa &= PAGE_MASK;
        va &= PAGE_MASK;
    }
    fill(core, region, va, ipa, attributes, prot, access, mmu_index, page_size, memory_type);
    return true;
}
