/* The entries of the library's TLBs: which of them let a store pass unseen. */
#include "tlb.h"

#include <string.h>

#include "code_map.h"
#include "leave.h"
#include "regions.h"

static uint8_t *entry_of(uint8_t *cpu, unsigned mmu_index, uint64_t va) {
    uint8_t *fast = cpu + CPU_TLB_FAST + mmu_index * TLB_FAST_SIZE;
    return FIELD(uint8_t *, fast, TLB_FAST_TABLE) + ((va >> (12 - TLB_ENTRY_BITS)) & FIELD(uint64_t, fast, 0));
}

uint8_t *tlb_entry(struct core *core, unsigned mmu_index, uint64_t va) { return entry_of(core->cpu, mmu_index, va); }

uint8_t *tlb_table(struct core *core, unsigned mmu_index, uint8_t **end) {
    uint8_t *fast = (uint8_t *)core->cpu + CPU_TLB_FAST + mmu_index * TLB_FAST_SIZE;
    uint8_t *table = FIELD(uint8_t *, fast, TLB_FAST_TABLE);
    *end = table + FIELD(uint64_t, fast, 0) + TLB_ENTRY_SIZE;
    return table;
}

static uint8_t *victims_of(uint8_t *cpu, unsigned mmu_index) { return cpu + CPU_TLB_VICTIMS + mmu_index * TLB_DESC_SIZE; }

uint8_t *tlb_victims(struct core *core, unsigned mmu_index) { return victims_of(core->cpu, mmu_index); }

/* By which translated code could go to RAM at once. */
static uint8_t *victim_of(uint8_t *cpu, unsigned mmu_index, uint64_t va, unsigned permission) {
    uint8_t *victim = victims_of(cpu, mmu_index);
    for (unsigned i = 0; i < TLB_VICTIMS; i++, victim += TLB_ENTRY_SIZE)
        if (FIELD(uint64_t, victim, permission) == (va & PAGE_MASK)) return victim;
    return NULL;
}

const uint8_t *tlb_find(struct core *core, unsigned mmu_index, uint64_t va, unsigned permission) {
    const uint8_t *entry = tlb_entry(core, mmu_index, va);
    if (FIELD(uint64_t, entry, permission) == (va & PAGE_MASK)) return entry;
    return victim_of(core->cpu, mmu_index, va, permission);
}

static void exchange(uint8_t *one, uint8_t *other, size_t size) {
    uint8_t kept[TLB_ENTRY_SIZE];
    memcpy(kept, one, size);
    memcpy(one, other, size);
    memcpy(other, kept, size);
}

void *tlb_displaced(void *env, uint64_t va, unsigned size, uint32_t index, unsigned permission) {
    uint32_t alignment = index >> MMU_INDEX_WIDTH & MEMOP_ALIGN_MASK;
    if (va & (size - 1) || (alignment != MEMOP_ALIGN_MASK && 1u << (alignment >> MEMOP_ALIGN_SHIFT) > size)) return NULL;
    unsigned mmu_index = index & MMU_INDEX_BITS;
    uint8_t *cpu = (uint8_t *)env - CPU_ENV, *entry = entry_of(cpu, mmu_index, va);
    if (!((FIELD(uint64_t, entry, permission) ^ va) & PAGE_MASK)) return NULL; /* it is there, and for the slow path */
    uint8_t *victim = victim_of(cpu, mmu_index, va, permission), *victims = victims_of(cpu, mmu_index);
    if (!victim) return NULL;
    uint8_t *table = FIELD(uint8_t *, cpu + CPU_TLB_FAST + mmu_index * TLB_FAST_SIZE, TLB_FAST_TABLE);
    size_t place = (size_t)(entry - table) >> TLB_ENTRY_BITS, other = (size_t)(victim - victims) >> TLB_ENTRY_BITS;
    uint8_t *io = FIELD(uint8_t *, victims, TLB_DESC_IO) + place * TLB_IO_SIZE;
    exchange(entry, victim, TLB_ENTRY_SIZE);
    exchange(io, victims + TLB_DESC_VICTIM_IO + other * TLB_IO_SIZE, TLB_IO_SIZE);
    return (void *)(va + FIELD(uint64_t, entry, TLB_ENTRY_ADDEND));
}

static void track_entries(struct core *core, uint64_t page, uint8_t *entry, uint8_t *end) {
    for (; entry < end; entry += TLB_ENTRY_SIZE) {
        uint64_t *write = &FIELD(uint64_t, entry, TLB_ENTRY_WRITE);
        if (*write & ~PAGE_MASK) continue; /* empty, or slow already */
        uint64_t ipa = FIELD(uint64_t, entry, TLB_ENTRY_PADDR);
        struct region *region = region_find(core, ipa);
        if (region && region->host && region_page(region, ipa) == page) *write |= TLB_NOTDIRTY;
    }
}

/* From now on stores to this page are seen, by whatever address it is mapped. */
void tlb_track_page(struct core *core, uint64_t page) {
    for (unsigned mmu_index = 0; mmu_index < ARCH_MMU_INDEXES; mmu_index++) {
        uint8_t *end, *table = tlb_table(core, mmu_index, &end), *victims = tlb_victims(core, mmu_index);
        track_entries(core, page, table, end);
        track_entries(core, page, victims, victims + TLB_VICTIMS * TLB_ENTRY_SIZE);
    }
}

/*
 * A fill for data never makes the entry executable: stock Unicorn tracks every store to a page whose entry is
 * executable (35-60 ns each), for ever. An instruction fetch fills again, with the permission.
 */
uint8_t *tlb_fill(struct core *core, uint64_t va, uint64_t ipa, uint32_t attributes, int prot, int access, int mmu_index,
                  uint64_t page_size) {
    if (access != MMU_INST_FETCH) prot &= ~PROT_EXEC_BIT;
    unicorn.set_page(core->cpu, va, ipa, attributes, prot, mmu_index, page_size);
    return tlb_entry(core, (unsigned)mmu_index, va);
}

/* A page of which no code was translated needs no tracking at all. */
void tlb_open(struct core *core, struct region *region, uint64_t va, uint64_t ipa, uint8_t *entry) {
    if (code_map_is_code(core, region_page(region, ipa))) return; /* store: fill */
    uint64_t *write = &FIELD(uint64_t, entry, TLB_ENTRY_WRITE);
    if (*write == ((va & PAGE_MASK) | TLB_NOTDIRTY)) *write = va & PAGE_MASK;
}

/* The library tracks again by a search of all TLBs at every block; here a page is tracked as long as it has code. */
EXPORT void ARCH(tlb_reset_dirty_by_vaddr)(void *cpu, uint64_t va, uint64_t length) {
    if (!running) unicorn.reset_dirty(cpu, va, length);
}

/* Before a store to a tracked page is done: a page that still has code stays tracked. */
EXPORT void ARCH(tlb_set_dirty)(void *cpu, uint64_t va) {
    struct core *core = running;
    if (!core) {
        unicorn.set_dirty(cpu, va);
        return;
    }
    for (unsigned mmu_index = 0; mmu_index < ARCH_MMU_INDEXES; mmu_index++) {
        uint8_t *entry = tlb_entry(core, mmu_index, va);
        uint64_t *write = &FIELD(uint64_t, entry, TLB_ENTRY_WRITE);
        if (*write != ((va & PAGE_MASK) | TLB_NOTDIRTY)) continue;
        uint64_t ipa = FIELD(uint64_t, entry, TLB_ENTRY_PADDR);
        struct region *region = region_find(core, ipa);
        if (region && region->host && !code_map_is_code(core, region_page(region, ipa)))
            *write = va & PAGE_MASK; /* store: open */
    }
}
