/* Remote fences, over the broadcast that reaches every hart of the VM. Address spaces are not told apart. */
#include "riscv/fence.h"

#include "broadcast.h"
#include "leave.h"
#include "pages.h"

#define ALL_INDEXES ((1u << ARCH_MMU_INDEXES) - 1)
#define MANY 16u /* pages, of which all is forgotten at once */

EXPORT void tlb_flush_by_mmuidx_all_cpus_synced_riscv64(void *cpu, uint16_t map);
EXPORT void tlb_flush_page_by_mmuidx_all_cpus_synced_riscv64(void *cpu, uint64_t va, uint16_t map);

static void forget_translations(struct core *core, uint64_t start, uint64_t size) {
    uint64_t first = start & PAGE_MASK, pages = (start - first + size + PAGE_SIZE - 1) / PAGE_SIZE;
    if (!size || size >= (uint64_t)MANY * PAGE_SIZE || pages > MANY) {
        tlb_flush_by_mmuidx_all_cpus_synced_riscv64(core->cpu, ALL_INDEXES);
        return;
    }
    for (uint64_t i = 0; i < pages; i++)
        tlb_flush_page_by_mmuidx_all_cpus_synced_riscv64(core->cpu, first + i * PAGE_SIZE, ALL_INDEXES);
}

void fence_remote(struct core *core, enum fence what, uint64_t start, uint64_t size) {
    running = core;
    if (what == FENCE_CODE)
        pages_invalidate_all(core);
    else
        forget_translations(core, start, size);
    broadcast_finish(core);
    running = NULL;
}
