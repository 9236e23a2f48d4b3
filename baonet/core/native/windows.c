#include "windows.h"

#include <string.h>

#include "regions.h"

/* Of a page, and how it is accessed. */
static uint64_t key(uint64_t va, int access, int mmu_index) {
    return (va & PAGE_MASK) | (uint64_t)mmu_index << 2 | (access == MMU_DATA_STORE ? 2 : 0) | 1;
}

static struct known_window *place(struct core *core, uint64_t key) {
    return &core->scratch.known_windows[(key / PAGE_SIZE ^ key >> 1) % KNOWN_WINDOWS];
}

bool window_find(struct core *core, uint64_t va, int access, int mmu_index, uint64_t tables, uint64_t *ipa) {
    uint64_t wanted = key(va, access, mmu_index);
    const struct known_window *known = place(core, wanted);
    if (access == MMU_INST_FETCH || known->va != wanted || known->tables != tables) return false;
    *ipa = known->ipa | (va & ~PAGE_MASK);
    return true;
}

void window_note(struct core *core, uint64_t va, int access, int mmu_index, uint64_t tables, uint64_t ipa) {
    if (access == MMU_INST_FETCH || !region_emulated(core, ipa)) return;
    uint64_t noted = key(va, access, mmu_index);
    core->scratch.knows_windows = true;
    *place(core, noted) = (struct known_window){.va = noted, .tables = tables, .ipa = ipa & PAGE_MASK};
}

void windows_forget(struct core *core) {
    if (!core->scratch.knows_windows) return;
    core->scratch.knows_windows = false;
    memset(core->scratch.known_windows, 0, sizeof core->scratch.known_windows);
}

void windows_flush(struct core *core, uint16_t indexes) {
    windows_forget(core);
    unicorn.tlb_flush_mmuidx(core->cpu, indexes);
}

void windows_flush_page(struct core *core, uint64_t va, uint16_t indexes) {
    windows_forget(core);
    unicorn.tlb_flush_page_mmuidx(core->cpu, va, indexes);
}
