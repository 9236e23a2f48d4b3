/*
 * See polling.h. What makes an iteration a function of the counter alone: whatever it reads before it has written it is the same
 * at its end. Then what each branch does in those between follows from the first and the last (spans.h).
 *
 * Only what the guest could do without leaving its translated code is followed: loads and stores of pages that its TLB has, with
 * nothing to be noted of them. Nobody else has a page of a VM in virtual time while a guest that has it runs.
 */
#include "polling.h"

#include "architecture.h"
#include "clock.h"
#include "regions.h"
#include "rest.h"
#include "tlb.h"

#define ATTENTION 16u         /* as many iterations of one length are a loop */
#define LEAST_ITERATIONS 8u   /* that are worth it */
#define LONGEST 400u          /* iteration, in instructions */
#define STEP 8u               /* by which the search for the last iteration grows */

struct span iteration_register(struct iteration *iteration, unsigned number) {
    iteration->read |= ~iteration->written & 1u << number;
    return iteration->registers[number];
}

void iteration_set_register(struct iteration *iteration, unsigned number, struct span value) {
    iteration->written |= 1u << number;
    iteration->registers[number] = value;
}

/* Where this is in RAM, if the TLB lets translated code go there by itself. */
static uint8_t *host_of(const struct iteration *iteration, uint64_t va, unsigned size, unsigned permission) {
    const uint8_t *entry = va & (size - 1) ? NULL : tlb_find(iteration->core, iteration->mmu_index, va, permission);
    if (!entry) return NULL;
    uint64_t ipa = (FIELD(uint64_t, entry, TLB_ENTRY_PADDR) & PAGE_MASK) | (va & ~PAGE_MASK);
    struct region *region = region_find(iteration->core, ipa);
    return region && region->host ? region->host + (ipa - region->ipa) : NULL;
}

static uint64_t value_at(const uint8_t *host, unsigned size) {
    uint64_t value = 0;
    memcpy(&value, host, size);
    return value;
}

/* NULL: there is no room for it, or a part of it is in another. */
static struct cell *cell_of(struct iteration *iteration, uint8_t *host, unsigned size) {
    struct cell *cell = iteration->cells, *end = cell + iteration->cell_count;
    for (; cell < end; cell++) {
        if (cell->host == host && cell->size == size) return cell;
        if (cell->host < host + size && host < cell->host + cell->size) return NULL;
    }
    if (iteration->cell_count == ITERATION_CELLS) return NULL;
    iteration->cell_count++;
    uint64_t before = value_at(host, size);
    *cell = (struct cell){.host = host, .size = size, .before = before, .value = span_same(before)};
    return cell;
}

bool iteration_load(struct iteration *iteration, struct span address, unsigned size, struct span *value) {
    uint8_t *host = span_is_same(address) ? host_of(iteration, address.first, size, TLB_ENTRY_READ) : NULL;
    struct cell *cell = host ? cell_of(iteration, host, size) : NULL;
    if (!cell) return false;
    cell->read |= !cell->written;
    *value = cell->value;
    return true;
}

bool iteration_store(struct iteration *iteration, struct span address, unsigned size, struct span value) {
    uint8_t *host = span_is_same(address) ? host_of(iteration, address.first, size, TLB_ENTRY_WRITE) : NULL;
    struct cell *cell = host ? cell_of(iteration, host, size) : NULL;
    if (!cell) return false;
    cell->written = true;
    cell->value = span_low(value, 8 * size);
    return true;
}

bool iteration_fetch(const struct iteration *iteration, uint64_t va, unsigned size, uint32_t *instruction) {
    const uint8_t *host = host_of(iteration, va, size, TLB_ENTRY_CODE);
    if (!host) host = host_of(iteration, va, size, TLB_ENTRY_READ);
    if (host) *instruction = (uint32_t)value_at(host, size);
    return host;
}

static bool carries_nothing(const struct iteration *iteration) {
    for (unsigned i = 0; i < 32; i++) {
        struct span value = iteration->registers[i];
        bool carried = iteration->read & iteration->written & 1u << i;
        if (carried && !(span_is_same(value) && value.first == core_x(iteration->core)[i])) return false;
    }
    for (const struct cell *cell = iteration->cells; cell < iteration->cells + iteration->cell_count; cell++)
        if (cell->read && !(span_is_same(cell->value) && cell->value.first == cell->before)) return false;
    return arch_followed(iteration);
}

/* Whether all iterations go the same way from here on, while the counter goes from one value to another. */
static bool follow(struct core *core, struct iteration *iteration, uint64_t first, uint64_t last) {
    *iteration = (struct iteration){.core = core, .pc = core_pc(core), .counter = span_from(first, last, true)};
    for (unsigned i = 0; i < ARCH_REGISTERS; i++) iteration->registers[i] = span_same(core_x(core)[i]);
    if (!arch_follow_counter(iteration)) return false;
    for (iteration->instructions = 1; iteration->pc != core_pc(core); iteration->instructions++)
        if (iteration->instructions == LONGEST || !arch_follow(iteration)) return false;
    return carries_nothing(iteration);
}

static uint64_t counter_after(struct core *core, uint64_t instructions) {
    return clock_ticks(core, clock_seen_after(core, instructions));
}

/* Whether so many iterations, from the one that begins, are as this. */
static bool repeats(struct core *core, struct iteration *iteration, uint64_t iterations) {
    uint64_t length = core->scratch.polling.length;
    return follow(core, iteration, counter_after(core, 0), counter_after(core, (iterations - 1) * length)) &&
           iteration->instructions == length;
}

/* The most iterations that are known to be alike, at most `limit`; 0: too few. Leaves the last in `iteration`. */
static uint64_t alike(struct core *core, struct iteration *iteration, uint64_t limit) {
    if (repeats(core, iteration, limit)) return limit;
    uint64_t known = 1, other = 2;
    while (other < limit && repeats(core, iteration, other)) {
        known = other;
        other *= STEP;
    }
    if (other > limit) other = limit;
    while (other - known > 1) {
        uint64_t middle = known + (other - known) / 2;
        if (repeats(core, iteration, middle)) known = middle;
        else other = middle;
    }
    return known >= LEAST_ITERATIONS && repeats(core, iteration, known) ? known : 0;
}

static void foresee(struct core *core, const struct iteration *iteration) {
    struct polling *polling = &core->scratch.polling;
    for (unsigned i = 0; i < ARCH_REGISTERS; i++) polling->foreseen[i] = iteration->registers[i].last;
    polling->foresees = true;
}

static bool was_foreseen(struct core *core) {
    const struct polling *polling = &core->scratch.polling;
    return !memcmp(polling->foreseen, core_x(core), ARCH_REGISTERS * sizeof *polling->foreseen);
}

/* As if they had run, to where the counter is read again. */
static void run_at_once(struct core *core, const struct iteration *iteration, uint64_t iterations) {
    for (unsigned i = 0; i < ARCH_REGISTERS; i++)
        if (iteration->written & 1u << i) core_x(core)[i] = iteration->registers[i].last;
    for (const struct cell *cell = iteration->cells; cell < iteration->cells + iteration->cell_count; cell++)
        if (cell->written) memcpy(cell->host, &cell->value.last, cell->size);
    arch_follow_end(iteration);
    uint64_t instructions = iterations * iteration->instructions;
    core->slot->budget -= (int32_t)instructions;
    core->scratch.polling.at += instructions;
    core->scratch.polling.instructions += instructions;
}

/* True: it was worth looking at. */
static bool look(struct core *core, uint64_t limit) {
    struct polling *polling = &core->scratch.polling;
    struct iteration iteration;
    bool foresees = polling->foresees;
    polling->foresees = false;
    if (!foresees) {
        if (!repeats(core, &iteration, 1)) return false;
        foresee(core, &iteration);
        return true;
    }
    if (!was_foreseen(core)) return false;
    uint64_t iterations = alike(core, &iteration, limit);
    if (iterations) run_at_once(core, &iteration, iterations);
    return iterations;
}

/* Whether something is to be looked at at the start of the next block: that is not to be put off. */
static bool waits(const struct core *core) {
    bool kicked = atomic_load_explicit(&core->slot->kick, memory_order_relaxed);
    return kicked || FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST) || rest_runs(core);
}

void polling_look(struct core *core) {
    if (!core->hz || core->model) return;
    struct polling *polling = &core->scratch.polling;
    uint64_t now = core_retired(core), length = now - polling->at;
    bool again = core_pc(core) == polling->pc && length == polling->length;
    if (core_pc(core) != polling->pc) polling->attention = ATTENTION;
    if (!again) polling->foresees = false;
    polling->pc = core_pc(core);
    polling->at = now;
    polling->length = length;
    polling->count = again ? polling->count + 1 : 0;
    if (polling->count < polling->attention || !length || core->slot->budget < 0 || waits(core)) return;
    /* What follows the last iteration is to find the budget as it would have: not spent. */
    uint64_t limit = (uint64_t)core->slot->budget / length;
    if (limit < LEAST_ITERATIONS + 1 || look(core, limit - 1)) return;
    polling->count = 0;
    if (polling->attention < UINT32_MAX / 2) polling->attention *= 2;
}
