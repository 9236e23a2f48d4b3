/*
 * Most accesses are known to be hits, which change nothing and cost nothing: helpers are left in their first lines.
 *
 * A stall is charged when it happens, in mid-block: the clock is that of the block's end, later by what has stalled before.
 * Where a stay ends follows from that, and not from when the host looks (clock.h).
 */
#include "modelled.h"

#include "architecture.h"
#include "clock.h"
#include "leave.h"
#include "regions.h"
#include "rest.h"
#include "sample.h"

/* Who watches looks where something stalls: that follows from what the guest does alone, as what the filters let pass does not. */
static void stall(struct core *core, unsigned cycles) {
    if (!cycles) return;
    clock_stall(core, cycles);
    if (core->model->watch) core->model->watch(core);
}

/* How many accesses the instruction has told of since what was before it was noted. */
static uint64_t told(const struct modelled *model) {
    const struct memsys_counters *counters = &model->memsys->counters[0];
    return counters->loads + counters->stores - model->several.loads - model->several.stores;
}

/* Whether the access that the guest has made was told before it was refused another of the same instruction: that is counted again. */
static bool is_told(struct core *core, enum memsys_kind kind) {
    struct modelled *model = core->model;
    const struct again *again = &model->again;
    if (!again->told || !rest_runs(core) || model->several.pc != again->pc || told(model) >= again->told) return false;
    struct memsys_counters *counters = &model->memsys->counters[0];
    if (kind == MEMSYS_LOAD) counters->loads++;
    else counters->stores++;
    return true;
}

/* Of the core that runs. */
static inline __attribute__((always_inline)) void observe(uint64_t address, unsigned size, enum memsys_kind kind) {
    struct core *core = running;
    address = arch_untagged(core, address);
    bool store = kind == MEMSYS_STORE, usual = store || kind == MEMSYS_LOAD;
    if (usual && memsys_filtered(core->view.memsys, address, size, store)) return;
    if (is_told(core, kind)) return;
    if (kind == MEMSYS_ZERO) address &= ~(uint64_t)(MEMSYS_LINE - 1);
    if (kind == MEMSYS_LOAD) stall(core, memsys_load(&core->view, address, size));
    else if (store) stall(core, memsys_store(&core->view, address, size));
    else stall(core, memsys_data(&core->view, clock_now(core), address, size, kind));
}

/* Their arguments are where those of the helpers are, which so come here by a jump. */
static __attribute__((noipa)) void observe_load(void *memsys, uint64_t address, int32_t mask) {
    (void)memsys;
    observe(address, memsys_aligned_size(mask), MEMSYS_LOAD);
}
static __attribute__((noipa)) void observe_store(void *memsys, uint64_t address, int32_t mask) {
    (void)memsys;
    observe(address, memsys_aligned_size(mask), MEMSYS_STORE);
}

EXPORT void ARCH_OBSERVED_LOAD(void *memsys, uint64_t address, int32_t mask) {
    if (!memsys_filtered_aligned(memsys, address, mask, false)) observe_load(memsys, address, mask);
}

EXPORT void ARCH_OBSERVED_STORE(void *memsys, uint64_t address, int32_t mask) {
    if (!memsys_filtered_aligned(memsys, address, mask, true)) observe_store(memsys, address, mask);
}

EXPORT void ARCH_OBSERVED_OTHER(void *memsys, uint64_t address, uint32_t info) {
    (void)memsys;
    enum memsys_kind kind = (enum memsys_kind)(info >> 8);
    if (kind == MEMSYS_LOAD) observe(address, info & 0xff, MEMSYS_LOAD);
    else if (kind == MEMSYS_STORE) observe(address, info & 0xff, MEMSYS_STORE);
    else observe(address, info & 0xff, kind);
}

EXPORT void ARCH_OBSERVED_BLOCK(void *argument, uint64_t address) {
    struct core *core = ((struct modelled *)argument)->core;
    const void *block = (const void *)(uintptr_t)address;
    uint64_t pc = FIELD(const uint64_t, block, TB_PC);
    unsigned bytes = FIELD(const uint16_t, block, TB_SIZE);
    if (rest_runs(core)) return; /* it is of a block whose code has been fetched */
    stall(core, memsys_fetch(&core->view, pc, bytes));
}

void modelled_refused(struct core *core, uint64_t pc) {
    struct modelled *model = core->model;
    if (!model) return;
    const struct several *several = &model->several;
    int64_t left = core->state.left + core->slot->budget - (int32_t)core->state.rest; /* when its block had begun */
    bool has_told = several->pc == pc && several->left + several->budget == left;
    model->again = (struct again){pc, has_told ? told(model) : 0};
    if (!has_told) return;
    model->memsys->counters[0].loads = several->loads;
    model->memsys->counters[0].stores = several->stores;
}

void modelled_translate_anew(struct core *core) {
    if (core->model) memsys_set_context(core->model->memsys, arch_space(core));
}

void modelled_maintain(struct core *core, uint64_t va, enum memsys_maintenance what) {
    if (core->model) stall(core, memsys_maintain(&core->view, clock_now(core), arch_untagged(core, va), what));
}

void modelled_maintain_way(struct core *core, unsigned level, uint32_t set, uint32_t way, enum memsys_maintenance what) {
    if (core->model) stall(core, memsys_maintain_way(&core->view, clock_now(core), level, set, way, what));
}

uint64_t modelled_cost(struct core *core, unsigned kind) {
    const struct footprint *footprint = core->model ? &core->model->footprints[kind] : NULL;
    if (!footprint || !footprint->known) return core->costs[kind];
    uint64_t cycles = clock_of_instructions(core, footprint->instructions) + footprint->cycles, now = clock_now(core);
    for (unsigned each = MEMSYS_TOUCH_LOAD; each <= MEMSYS_TOUCH_FETCH; each++) {
        const struct touched *touched = &footprint->touched[each];
        cycles += memsys_touch(&core->view, now + cycles, touched->lines, touched->count, (enum memsys_touch)each);
    }
    return cycles;
}

void modelled_lose(struct core *core, struct region *region, uint64_t ipa) {
    if (core->model && region->host) memsys_lose(core->model->memsys, physical_page(&core->model->physical, region, ipa));
}

void modelled_lose_all(struct core *core) {
    if (core->model) memsys_lose_all(core->model->memsys);
}

void modelled_reset(struct core *core) {
    if (!core->model) return;
    modelled_enter(core); /* what its cache had is of the window that is open */
    memsys_reset(&core->view, clock_now(core));
    modelled_translate_anew(core);
}

/* What others of the VM have asked is done at windows' edges alone, so it is the same however fast each of them runs. */
static void obey(struct core *core, struct request request) {
    switch (request.kind) {
    case REQUEST_CODE: memsys_forget_code(core->view.memsys); return;
    case REQUEST_CODE_LINE: memsys_forget(&core->view, clock_now(core), request.address, MEMSYS_LINE, MEMSYS_CODE); return;
    default: memsys_tlbi(core->view.memsys, (enum memsys_tlbi)request.kind, request.asid, request.address);
    }
}

void modelled_begun(struct core *core, uint64_t window) {
    core->model->window = window;
    struct request requests[SIBLINGS_REQUESTS];
    unsigned count = siblings_take(core, window, requests);
    for (unsigned i = 0; i < count; i++) obey(core, requests[i]);
}

void modelled_enter(struct core *core) {
    if (!core->weave || !memsys_weave_enter(core->weave, core->party, clock_now(core)) || !core->model) return;
    sample_memory(core);
    modelled_begun(core, memsys_weave_party(core->weave, core->party)->window);
    if (core->model->watch) core->model->watch(core); /* what was missed in the window before is known now */
}

static void carry_out(struct core *core, struct request request, bool broadcast) {
    obey(core, request);
    if (broadcast) siblings_ask(core, core->model->window, request);
}

void modelled_invalidate(struct core *core, enum memsys_tlbi kind, uint16_t asid, uint64_t va, bool broadcast) {
    if (core->model) carry_out(core, (struct request){.kind = kind, .asid = asid, .address = va}, broadcast);
}

void modelled_forget_code(struct core *core, bool broadcast) {
    if (core->model) carry_out(core, (struct request){.kind = REQUEST_CODE}, broadcast);
}

void modelled_forget_code_line(struct core *core, uint64_t va, uint64_t ipa) {
    struct memsys_stage2 found;
    if (!core->model) return;
    modelled_maintain(core, va, MEMSYS_CODE);
    if (!physical_find(core, &core->model->physical, ipa, &found)) return;
    struct request request = {.kind = REQUEST_CODE_LINE, .address = found.pa & ~(uint64_t)(MEMSYS_LINE - 1)};
    siblings_ask(core, core->model->window, request);
}

void modelled_ask(struct core *core, unsigned pcpu, struct request request) {
    if (!core->model) return;
    if (pcpu == core->index) obey(core, request);
    else siblings_ask_one(core, pcpu, core->model->window, request);
}
