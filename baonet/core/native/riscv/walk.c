/*
 * Sv39, Sv48 and Sv57 (privileged architecture, 12.4 to 12.6), with Svpbmt and Svnapot and without Svadu: Bao leaves no
 * hardware update of A and D on, so a clear one faults. Memory types change nothing here.
 */
#include "riscv/walk.h"

#include "architecture.h"
#include "ownership.h"
#include "regions.h"
#include "riscv/encoding.h"
#include "riscv/pte.h"
#include "riscv/registers.h"

/* Of an entry in RAM. */
static enum walked load(struct core *core, uint64_t ipa, uint64_t *pte) {
    struct region *region = region_find(core, ipa);
    if (!region || !region->host) return WALK_MISSING;
    if (!ownership_enter_region(core, region, ipa, false)) return WALK_BLOCKED;
    ownership_note_walk(core, region, ipa);
    *pte = __atomic_load_n((uint64_t *)(region->host + (ipa - region->ipa)), __ATOMIC_RELAXED);
    return WALK_FOUND;
}

/* What the leaf allows of loads, stores and fetches. */
static int allowed(const struct core *core, uint64_t pte, int mmu_index) {
    bool user = mmu_index == MMU_U, foreign = (bool)(pte & PTE_U) != user;
    int prot = pte & PTE_R ? PROT_READ_BIT : 0;
    if (pte & PTE_X && ENV64(core, ENV_MSTATUS) & STATUS_MXR) prot |= PROT_READ_BIT;
    if (pte & PTE_W && pte & PTE_D) prot |= PROT_WRITE_BIT;
    if (pte & PTE_X) prot |= PROT_EXEC_BIT;
    if (!(pte & PTE_A) || (foreign && (user || mmu_index != MMU_S_SUM))) return 0;
    return foreign ? prot & ~PROT_EXEC_BIT : prot;
}

static enum walked finish(const struct core *core, uint64_t va, uint64_t pte, int level, int access, int mmu_index,
                          struct walk *found) {
    static const int asked[] = {[MMU_DATA_LOAD] = PROT_READ_BIT, [MMU_DATA_STORE] = PROT_WRITE_BIT, [MMU_INST_FETCH] = PROT_EXEC_BIT};
    uint64_t base;
    found->size = pte_size(pte, (unsigned)level, &base);
    found->prot = allowed(core, pte, mmu_index);
    if (!found->size || !(found->prot & asked[access])) return WALK_FAULT;
    found->ipa = base | (va & (found->size - 1));
    return WALK_FOUND;
}

enum walked walk(struct core *core, uint64_t va, int access, int mmu_index, struct walk *found) {
    uint64_t satp = ENV64(core, ENV_SATP), table = SATP_TABLE(satp);
    *found = (struct walk){.ipa = va, .size = PAGE_SIZE, .prot = PROT_READ_BIT | PROT_WRITE_BIT | PROT_EXEC_BIT};
    if (!SATP_MODE(satp)) return WALK_FOUND;
    unsigned levels = SATP_LEVELS(satp), unused = 64 - LEVEL_SHIFT(levels);
    if ((uint64_t)((int64_t)(va << unused) >> unused) != va) return WALK_FAULT;
    for (int level = (int)levels - 1; level >= 0; level--) {
        uint64_t pte, entry = table + pte_offset(va, (unsigned)level);
        found->ipa = entry;
        enum walked loaded = load(core, entry, &pte);
        if (loaded != WALK_FOUND) return loaded;
        if (pte_is_reserved(pte)) return WALK_FAULT;
        if (pte_is_leaf(pte)) return finish(core, va, pte, level, access, mmu_index, found);
        table = PTE_TABLE(pte);
    }
    return WALK_FAULT;
}

bool arch_translate(struct core *core, uint64_t va, int access, uint64_t *ipa) {
    struct walk found;
    if (walk(core, va, access, mmu_index(core), &found) != WALK_FOUND) return false;
    *ipa = found.ipa;
    return true;
}

static bool half_at(struct core *core, uint64_t va, uint32_t *half) {
    uint64_t ipa;
    struct region *region = arch_translate(core, va, MMU_INST_FETCH, &ipa) ? region_find(core, ipa) : NULL;
    if (!region || !region->host) return false;
    *half = *(uint16_t *)(region->host + (ipa - region->ipa));
    return true;
}

uint32_t walk_instruction(struct core *core, uint64_t pc) {
    uint32_t first, second;
    if (!half_at(core, pc, &first)) return 0;
    if (IS_COMPRESSED(first)) return first;
    return half_at(core, pc + 2, &second) ? second << 16 | first : 0;
}

/* Only the first of a block can be over the end of its page (decode.c). */
bool arch_goes_on(struct core *core, uint32_t flags, uint64_t next_page, uint64_t *ipa) {
    (void)flags;
    uint32_t half;
    if (core_pc(core) + 2 != next_page || !half_at(core, core_pc(core), &half) || IS_COMPRESSED(half)) return false;
    return arch_translate(core, next_page, MMU_INST_FETCH, ipa);
}
