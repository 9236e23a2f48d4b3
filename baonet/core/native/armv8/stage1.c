/*
 * Stage 1 as a walk reads it (Arm ARM D8.2), for the model of the memory system. The library's walks are not asked: they look for
 * faults, and take pages from others; here the access has been, so the tables could be read for it. What is no translation any
 * more was one that the guest has taken away and not invalidated.
 */
#include "architecture.h"
#include "armv8/arm.h"
#include "armv8/flags.h"
#include "armv8/walk.h"
#include "regions.h"

#define TCR_EPD0 (1ull << 7)
#define TCR_EPD1 (1ull << 23)
#define TCR_A1 (1ull << 22)
#define TCR_AS (1ull << 36)
#define TCR_TBI0 (1ull << 37)
#define TCR_TBI1 (1ull << 38)
#define SCTLR_C 0x4u
#define SCTLR_I 0x1000u
#define SCTLR_EE (1u << 25) /* tables, too, are big-endian */
#define VALID 1u
#define TABLE 2u /* above the last level; at that, a page */
#define ACCESSED (1u << 10)
#define NOT_GLOBAL (1u << 11)
#define ADDRESS 0x0000ffffffffffffull

static uint64_t tcr_of(const struct core *core) { return FIELD(uint64_t, core->env, ENV_TCR_EL1); }

uint32_t arch_space(const struct core *core) {
    uint64_t ttbr = FIELD(uint64_t, core->env, tcr_of(core) & TCR_A1 ? ENV_TTBR1_EL1 : ENV_TTBR0_EL1);
    uint32_t asid = (uint32_t)(ttbr >> 48);
    if (!(tcr_of(core) & TCR_AS)) asid &= 0xff;
    uint64_t sctlr = FIELD(uint64_t, core->env, ENV_SCTLR_EL1);
    return asid | (flags_translates(core->env) ? 0 : MEMSYS_STAGE1_OFF) | (sctlr & SCTLR_C ? 0 : MEMSYS_DATA_UNCACHED) |
           (sctlr & SCTLR_I ? 0 : MEMSYS_CODE_UNCACHED);
}

uint64_t arch_untagged(const struct core *core, uint64_t va) {
    uint64_t extended = (uint64_t)((int64_t)(va << 8) >> 8);
    if (extended == va) return va;
    return tcr_of(core) & (va >> 55 & 1 ? TCR_TBI1 : TCR_TBI0) ? extended : va;
}

/* Of MAIR_EL1 (Arm ARM D17.2.97), inner or outer: only write-back is kept in these caches. */
static bool writes_back(unsigned nibble) { return nibble > 4 && (nibble < 8 || nibble >= 12); }

static uint8_t memory_of(unsigned type) {
    if (!(type >> 4)) return MEMSYS_DEVICE;
    return writes_back(type >> 4) && writes_back(type & 15) ? MEMSYS_CACHED : MEMSYS_UNCACHED;
}

static bool load(struct core *core, uint64_t ipa, uint64_t *descriptor) {
    struct region *region = region_find(core, ipa);
    if (!region || !region->host) return false;
    *descriptor = __atomic_load_n((uint64_t *)(region->host + (ipa - region->ipa)), __ATOMIC_RELAXED);
    if (FIELD(uint64_t, core->env, ENV_SCTLR_EL1) & SCTLR_EE) *descriptor = __builtin_bswap64(*descriptor);
    return true;
}

/* With stage 1 off data are Device, whatever SCTLR_EL1.C says, and code is as SCTLR_EL1.I says (Arm ARM D8.2.12). */
static bool translate_flat(uint64_t va, struct memsys_walk *walk) {
    *walk = (struct memsys_walk){.shift = 30, .ipa = va, .global = true, .memory = MEMSYS_DEVICE, .code = MEMSYS_CACHED};
    return true;
}

static bool is_leaf(uint64_t descriptor, int level) { return level == 3 || !(descriptor & TABLE); }

/* The last descriptor of a walk, at a level. */
static bool finish(const struct core *core, uint64_t descriptor, int level, unsigned shift, uint64_t va, struct memsys_walk *walk) {
    if (!(descriptor & ACCESSED) || (level == 3 && !(descriptor & TABLE))) return false;
    uint64_t within = ((uint64_t)1 << shift) - 1;
    unsigned type = FIELD(uint64_t, core->env, ENV_MAIR_EL1) >> 8 * (descriptor >> 2 & 7) & 0xff;
    walk->ipa = (descriptor & ADDRESS & PAGE_MASK & ~within) | (va & within);
    walk->shift = shift;
    walk->page = level == 3;
    walk->global = !(descriptor & NOT_GLOBAL);
    walk->memory = walk->code = memory_of(type);
    return true;
}

bool arch_stage1(struct core *core, uint64_t va, struct memsys_walk *walk) {
    uint64_t sctlr = FIELD(uint64_t, core->env, ENV_SCTLR_EL1), tcr = tcr_of(core);
    if (!(sctlr & SCTLR_M)) return translate_flat(va, walk);
    bool high = va >> 55 & 1;
    unsigned granule = walk_granule(core, va), stride = granule - 3, input = walk_input(core, va);
    int level = walk_first_level(core, va);
    *walk = (struct memsys_walk){0};
    if (tcr & (high ? TCR_EPD1 : TCR_EPD0) || level < 0) return false;
    uint64_t table = FIELD(uint64_t, core->env, high ? ENV_TTBR1_EL1 : ENV_TTBR0_EL1) & ADDRESS & ~(uint64_t)1;
    unsigned shift = granule + stride * (unsigned)(3 - level), bits = input - shift; /* of the index into the first table */
    table &= ~(((uint64_t)8 << bits) - 1);
    for (;; level++, shift -= stride, bits = stride) {
        uint64_t descriptor, at = table + (va >> shift & (((uint64_t)1 << bits) - 1)) * 8;
        if (!load(core, at, &descriptor) || !(descriptor & VALID)) return false;
        walk->descriptors[walk->levels++] = at;
        if (is_leaf(descriptor, level)) return finish(core, descriptor, level, shift, va, walk);
        table = descriptor & ADDRESS & ~(((uint64_t)1 << granule) - 1);
    }
}
