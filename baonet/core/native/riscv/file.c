/* A file of so many identities as the platform says, in two arrays of 64-bit registers of which the odd ones are none. */
#include "riscv/file.h"

#include "riscv/registers.h"
#include "trace.h"

enum { SELECT_DELIVERY = 0x70, SELECT_THRESHOLD = 0x72, SELECT_PENDING = 0x80, SELECT_ENABLED = 0xc0 };
#define DELIVERY_WRITABLE 1u
#define THRESHOLD_WRITABLE (FILE_IDENTITIES - 1)

static unsigned words(const struct core *core) { return (core->arch.identities + 1) / 64; }

uint32_t file_top(const struct core *core) {
    const struct file *file = &core->state.arch.file;
    for (unsigned i = 0; i < words(core); i++) {
        uint64_t waiting = file->pending[i] & file->enabled[i];
        if (!waiting) continue;
        uint32_t identity = i * 64 + (uint32_t)__builtin_ctzll(waiting);
        return !file->threshold || identity < file->threshold ? identity : 0;
    }
    return 0;
}

bool file_interrupts(const struct core *core) {
    return core->arch.aia && core->state.arch.file.delivery == 1 && file_top(core);
}

void file_inject(struct core *core, uint64_t identity) {
    if (!core->arch.aia || !identity || identity > core->arch.identities) return;
    uint64_t *word = &core->state.arch.file.pending[identity / 64], bit = 1ull << identity % 64;
    if (*word & bit) return;
    *word |= bit;
    trace(core, TRACE_PENDING, NUMBER_MESSAGES + (uint32_t)identity, 0, 0);
}

void file_written(struct core *core, const uint64_t *reg, uint64_t before) {
    const uint64_t *pending = core->state.arch.file.pending;
    if (reg < pending || reg >= pending + FILE_WORDS) return;
    uint32_t first = NUMBER_MESSAGES + (uint32_t)(reg - pending) * 64;
    for (uint64_t risen = *reg & ~before; risen; risen &= risen - 1)
        trace(core, TRACE_PENDING, first + (uint32_t)__builtin_ctzll(risen), 0, 0);
}

void file_claim(struct core *core, uint32_t identity) {
    core->state.arch.file.pending[identity / 64] &= ~(1ull << identity % 64);
    trace(core, TRACE_ACKNOWLEDGED, NUMBER_MESSAGES + identity, 0, 0);
}

/* Identity 0 is none. */
static uint64_t identities(unsigned word) { return word ? UINT64_MAX : UINT64_MAX - 1; }

static uint64_t *word(const struct core *core, uint64_t *array, uint64_t index, uint64_t *writable) {
    *writable = identities((unsigned)index / 2);
    return index % 2 || index / 2 >= words(core) ? NULL : &array[index / 2];
}

uint64_t *file_register(struct core *core, uint64_t *writable) {
    struct file *file = &core->state.arch.file;
    uint64_t select = file->select;
    switch (select) {
    case SELECT_DELIVERY: *writable = DELIVERY_WRITABLE; return &file->delivery;
    case SELECT_THRESHOLD: *writable = THRESHOLD_WRITABLE; return &file->threshold;
    }
    if (select >= SELECT_PENDING && select < SELECT_ENABLED) return word(core, file->pending, select - SELECT_PENDING, writable);
    if (select >= SELECT_ENABLED && select < 0x100) return word(core, file->enabled, select - SELECT_ENABLED, writable);
    return NULL;
}

bool file_plausible(const struct core *core, const struct file *file) {
    unsigned count = core->arch.aia ? words(core) : 0;
    if (file->select & ~SISELECT_WRITABLE || file->delivery & ~(uint64_t)DELIVERY_WRITABLE) return false;
    if (file->threshold & ~(uint64_t)THRESHOLD_WRITABLE) return false;
    for (unsigned i = 0; i < FILE_WORDS; i++)
        if ((file->pending[i] | file->enabled[i]) & ~(i < count ? identities(i) : 0)) return false;
    return true;
}
