/*
 * Stage 1, walked by the library, with what it does not check: an output address above TCR_EL1.IPS or above the physical
 * addresses of the CPU is an Address size fault, at the level of the descriptor that has it (Arm ARM D8.2.4).
 */
#include "armv8/walk.h"

#include "architecture.h"
#include "armv8/aarch32.h"
#include "armv8/arm.h"
#include "leave.h"
#include "ownership.h"
#include "regions.h"

#define DESCRIPTOR_ADDRESS 0x0000fffffffff000u
#define FAULT_ACCESS_FLAG 1u
#define FAULT_PERMISSION 5u
#define FAULT_ADDRESS_SIZE 7u

static unsigned output_bits(struct core *core, bool translates) {
    static const unsigned char bits[8] = {32, 36, 40, 42, 44, 48, 48, 48}; /* no 52 bits of it are in a descriptor */
    unsigned physical = bits[FIELD(uint64_t, core->cpu, CPU_ID_AA64MMFR0) & 7];
    unsigned asked = bits[FIELD(uint64_t, core->env, ENV_TCR_EL1) >> 32 & 7];
    return translates && asked < physical ? asked : physical;
}

unsigned walk_granule(const struct core *core, uint64_t va) {
    static const unsigned char granule0[4] = {12, 16, 14, 12}, granule1[4] = {12, 14, 12, 16};
    uint64_t tcr = FIELD(uint64_t, core->env, ENV_TCR_EL1);
    return va >> 55 & 1 ? granule1[tcr >> 30 & 3] : granule0[tcr >> 14 & 3];
}

/* A size out of range counts as the nearest within (Arm ARM D8.2.6, which leaves it to the CPU), as it does for the library. */
unsigned walk_input(const struct core *core, uint64_t va) {
    uint64_t tcr = FIELD(uint64_t, core->env, ENV_TCR_EL1);
    unsigned input = 64 - (unsigned)(va >> 55 & 1 ? tcr >> 16 & 63 : tcr & 63);
    return input < 25 ? 25 : input > 48 ? 48 : input;
}

/* Of the first lookup (Arm ARM D8.2.5). */
int walk_first_level(const struct core *core, uint64_t va) {
    int stride = (int)walk_granule(core, va) - 3;
    return 4 - ((int)walk_input(core, va) - 4) / stride;
}

static bool set_fault(void *info, int level) {
    FIELD(uint32_t, info, FAULT_TYPE) = FAULT_ADDRESS_SIZE;
    FIELD(int, info, FAULT_LEVEL) = level < 0 ? 0 : level;
    FIELD(bool, info, FAULT_EXTERNAL) = false;
    return true;
}

/* The library asks for stage 1 by a call of this within it. */
EXPORT bool get_phys_addr_aarch64(void *env, uint64_t va, int access, int mmu_index, uint64_t *ipa, uint32_t *attributes,
                                  int *prot, uint64_t *page_size, void *info, void *memory_type) {
    struct core *core = running;
    bool ours = core && core->env == env;
    if (ours) core->scratch.arch.walk = (struct walk){0};
    bool fault = arm.get_phys_addr(env, va, access, mmu_index, ipa, attributes, prot, page_size, info, memory_type);
    if (!ours) return fault;
    struct walk *walk = &core->scratch.arch.walk;
    if (walk->failed || walk->refused || walk->blocked) return fault;
    bool translates = FIELD(uint64_t, env, ENV_SCTLR_EL1) & SCTLR_M;
    unsigned bits = output_bits(core, translates);
    /* The address of the table is from the descriptor before, or from TTBR, which counts as level 0. */
    if (walk->oversized) return set_fault(info, walk->loads == 1 ? 0 : walk_first_level(core, va) + (int)walk->loads - 2);
    if (!fault) {
        if (!(*ipa >> bits)) return false;
        return set_fault(info, translates ? walk_first_level(core, va) + (int)walk->loads - 1 : 0);
    }
    uint32_t type = FIELD(uint32_t, info, FAULT_TYPE);
    bool in_last = type == FAULT_ACCESS_FLAG || type == FAULT_PERMISSION;
    if (in_last && (walk->descriptor & DESCRIPTOR_ADDRESS) >> bits) set_fault(info, FIELD(int, info, FAULT_LEVEL));
    return fault;
}

/*
 * A guest's translation table is in RAM, or the walk faults at stage 2. A table in a device is refused by the bus: how
 * often a walk reads it would depend on the library's TLB.
 */
EXPORT uint64_t address_space_ldq_le_aarch64(void *uc, void *space, uint64_t ipa, uint32_t attributes, uint32_t *result) {
    struct core *core = running;
    if (!core) return arm.load_table(uc, space, ipa, attributes, result);
    struct walk *walk = &core->scratch.arch.walk;
    walk->loads++;
    *result = MEMTX_DECODE_ERROR;
    if ((walk->oversized = ipa >> output_bits(core, true))) return 0;
    struct region *region = region_find(core, ipa);
    if (!region || !region->host) {
        *(region ? &walk->refused : &walk->failed) = true;
        walk->ipa = ipa;
        return 0;
    }
    if (!ownership_enter_region(core, region, ipa, false)) {
        walk->blocked = true;
        return 0;
    }
    ownership_note_walk(core, region, ipa);
    *result = MEMTX_OK;
    walk->descriptor = __atomic_load_n((uint64_t *)(region->host + (ipa - region->ipa)), __ATOMIC_RELAXED);
    return walk->descriptor;
}

/* As an access to data would be translated; false: it would fault. The memory type is as in MAIR_EL1. */
bool stage1_translate(struct core *core, uint64_t va, int access, int mmu_index, uint64_t *ipa, uint32_t *memory_type) {
    uint64_t page_size;
    uint32_t attributes = 0;
    int prot;
    uint8_t info[FAULT_INFO_SIZE] __attribute__((aligned(8))) = {0};
    *memory_type = 0;
    return !get_phys_addr_aarch64(core->env, va, access, mmu_index | MMU_INDEX_A, ipa, &attributes, &prot, &page_size, info,
                                  memory_type);
}

bool arch_translate(struct core *core, uint64_t va, int access, uint64_t *ipa) {
    uint32_t memory_type;
    bool el0 = aarch32_state(core) || !(FIELD(uint32_t, core->env, ENV_PSTATE) & PSTATE_EL);
    return stage1_translate(core, va, access, el0 ? MMU_INDEX_EL0 : MMU_INDEX_EL1, ipa, &memory_type);
}

/* A T32 block of EL0 does; instructions of A64 and A32 are whole words. */
bool arch_goes_on(struct core *core, uint32_t flags, uint64_t next_page, uint64_t *ipa) {
    uint32_t memory_type;
    return !(flags & TB_FLAG_AARCH64) && stage1_translate(core, next_page, MMU_INST_FETCH, MMU_INDEX_EL0, ipa, &memory_type);
}
