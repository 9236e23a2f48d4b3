/*
 * Stage 1 as a walk reads it, for the model of the memory system. It looks for no faults, and takes no page: the access has been,
 * so the tables could be read for it. What is no translation any more, the guest has taken away and not fenced yet.
 */
#include "architecture.h"
#include "regions.h"
#include "riscv/pte.h"
#include "riscv/registers.h"

uint32_t arch_space(const struct core *core) {
    uint64_t satp = ENV64(core, ENV_SATP);
    return SATP_ASID(satp) | (SATP_MODE(satp) ? 0 : MEMSYS_STAGE1_OFF);
}

uint64_t arch_untagged(const struct core *core, uint64_t va) {
    (void)core;
    return va;
}

/* With stage 1 off memory is what it is, and RAM is cached. */
static bool translate_flat(uint64_t va, struct memsys_walk *walk) {
    *walk = (struct memsys_walk){.shift = 30, .ipa = va, .global = true, .memory = MEMSYS_CACHED, .code = MEMSYS_CACHED};
    return true;
}

static bool load(struct core *core, uint64_t ipa, uint64_t *pte) {
    struct region *region = region_find(core, ipa);
    if (!region || !region->host) return false;
    *pte = __atomic_load_n((uint64_t *)(region->host + (ipa - region->ipa)), __ATOMIC_RELAXED);
    return true;
}

static uint8_t memory_of(uint64_t pte) {
    if (!(pte & PTE_PBMT)) return MEMSYS_CACHED;
    return (pte & PTE_PBMT) == PBMT_NC ? MEMSYS_UNCACHED : MEMSYS_DEVICE;
}

static bool finish(uint64_t va, uint64_t pte, unsigned level, struct memsys_walk *walk) {
    uint64_t base, size = pte_size(pte, level, &base);
    if (!size) return false;
    walk->ipa = base | (va & (size - 1));
    walk->shift = (unsigned)__builtin_ctzll(size);
    walk->page = !level;
    walk->memory = walk->code = memory_of(pte);
    return true;
}

/* What a table has is global where its own entry is (privileged architecture, 12.3.1). */
bool arch_stage1(struct core *core, uint64_t va, struct memsys_walk *walk) {
    uint64_t satp = ENV64(core, ENV_SATP), table = SATP_TABLE(satp), pte;
    if (!SATP_MODE(satp)) return translate_flat(va, walk);
    *walk = (struct memsys_walk){0};
    for (unsigned level = SATP_LEVELS(satp); level-- > 0; table = PTE_TABLE(pte)) {
        uint64_t at = table + pte_offset(va, level);
        if (!load(core, at, &pte) || pte_is_reserved(pte)) return false;
        walk->descriptors[walk->levels++] = at;
        walk->global |= (pte & PTE_G) != 0;
        if (pte_is_leaf(pte)) return finish(va, pte, level, walk);
    }
    return false;
}
