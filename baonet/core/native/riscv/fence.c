/*
 * Remote fences, over the broadcast that reaches every hart of the VM: harts and address spaces are told apart by the model of the
 * memory system alone, as what is fenced needlessly costs time there.
 */
#include "riscv/fence.h"

#include "broadcast.h"
#include "leave.h"
#include "modelled.h"
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

#define MOST_BY_PAGE PAGE_SIZE /* SBI_PLATFORM_TLB_RANGE_FLUSH_LIMIT_DEFAULT of OpenSBI, which Bao passes fences on to */

void fence_model(struct core *core, unsigned pcpu, const struct fenced *fenced) {
    bool of_asid = fenced->what == FENCE_VMA_ASID, nothing = !fenced->start && !fenced->size;
    struct request request = {.kind = REQUEST_CODE};
    if (fenced->what != FENCE_CODE && (nothing || fenced->size > MOST_BY_PAGE))
        request = (struct request){.kind = of_asid && !nothing ? MEMSYS_TLBI_ASID : MEMSYS_TLBI_STAGE1, .asid = fenced->asid};
    else if (fenced->what != FENCE_CODE)
        request = (struct request){
            .kind = of_asid ? MEMSYS_TLBI_VA : MEMSYS_TLBI_VA_ALL, .asid = fenced->asid, .address = fenced->start & PAGE_MASK};
    modelled_ask(core, pcpu, request);
}

void fence_remote(struct core *core, const struct fenced *fenced) {
    running = core;
    if (fenced->what == FENCE_CODE)
        pages_invalidate_all(core);
    else
        forget_translations(core, fenced->start, fenced->size);
    broadcast_finish(core);
    running = NULL;
}
