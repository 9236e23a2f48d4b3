/*
 * Alignment (Arm ARM B2.5.2, D1.3.5 and D17.2.118, SCTLR_EL1.A and SA). What the code asks for is decided when a block is
 * translated, from the flags that the block is found by and the instruction: the check is then part of the comparison
 * with the TLB, and costs nothing. What the memory type asks for (Device) is seen on the slow path, which a page of RAM
 * that is mapped as Device never leaves.
 */
#include "engine.h"

#define SCTLR_A 2u
#define SCTLR_SED 0x100u
#define SCTLR_SA 8u
#define SCTLR_SA0 16u

/* Of the flags of code the library leaves these free. */
#define FLAG_ALIGNED (1u << 18) /* every access */
#define FLAG_STACK (1u << 19)   /* A64: SP, where it is the base */
#define FLAG_SCTLR_B (1u << 15) /* A32 and T32: it takes SCTLR_EL1.ITD for the SCTLR.B that Armv6 had */

#define MEMOP_SIZE 3u
#define MEMOP_ALIGN_SHIFT 4
#define MEMOP_ALIGN_NATURAL 7u

#define SP_ALIGNMENT (0x26u << 26 | 1u << 25)

/* With translation off all data accesses are to Device memory. */
static bool translates(void *env) { return FIELD(uint64_t, env, ENV_SCTLR_EL1) & SCTLR_M; }

static void add_flags(void *env) {
    uint32_t *flags = &FIELD(uint32_t, env, ENV_HFLAGS);
    if (debug_locked(env)) *flags &= ~FLAG_STEP;
    uint64_t sctlr = FIELD(uint64_t, env, ENV_SCTLR_EL1);
    if (!translates(env) || sctlr & SCTLR_A) *flags |= FLAG_ALIGNED;
    if (!(*flags & FLAG_A64)) {
        *flags &= ~FLAG_SCTLR_B;
        if (sctlr & SCTLR_SED) *flags |= FLAG_NO_SETEND;
        return;
    }
    bool privileged = FIELD(uint32_t, env, ENV_PSTATE) & PSTATE_EL;
    if (sctlr & (privileged ? SCTLR_SA : SCTLR_SA0)) *flags |= FLAG_STACK;
}

EXPORT void arm_rebuild_hflags_aarch64(void *env) {
    unicorn.rebuild_hflags(env);
    add_flags(env);
}

EXPORT void helper_rebuild_hflags_a64_aarch64(void *env, int el) {
    unicorn.rebuild_hflags_a64(env, el);
    add_flags(env);
}

EXPORT void helper_rebuild_hflags_a32_aarch64(void *env, int el) {
    unicorn.rebuild_hflags_a32(env, el);
    add_flags(env);
}

/* The block and the instruction that are being translated. */
static _Thread_local uint32_t flags, instruction;
static _Thread_local struct encoding32 encoding;
static _Thread_local unsigned accesses; /* of the instruction, so far */

void align_block(uint32_t flags_of_block) { flags = flags_of_block; }

void align_instruction(uint32_t word) {
    instruction = word;
    accesses = 0;
}

void align_instruction32(struct encoding32 of_instruction) {
    encoding = of_instruction;
    accesses = 0;
}

/* The classes of loads and stores, by bits 29 to 24 (Arm ARM C4.1.94). */
static bool is_load_or_store(uint32_t word) { return (word & 0x0a000000) == 0x08000000; }
static bool is_exclusive(uint32_t word) { return (word & 0x3f000000) == 0x08000000; } /* or ordered */
static bool is_structure(uint32_t word) { return (word & 0xbe000000) == 0x0c000000; }
static bool is_pair(uint32_t word) { return (word & 0x3a000000) == 0x28000000; }
static bool is_single(uint32_t word) { return (word & 0x3a000000) == 0x38000000; }
static bool is_literal(uint32_t word) { return (word & 0x3b000000) == 0x18000000; }
static bool is_unscaled_ordered(uint32_t word) { return (word & 0x3f200c00) == 0x19000000; } /* LDAPUR, STLUR */
static bool is_vector(uint32_t word) { return word & 1u << 26; }
static unsigned base_of(uint32_t word) { return word >> 5 & 31; }

/* LDAR, STLR, LDLAR, STLLR, LDAPR, LDAPUR, STLUR; the library asks for alignment in exclusives itself. */
static bool is_ordered(uint32_t word) {
    return (word & 0x3fa00000) == 0x08800000 || (word & 0x3ffffc00) == 0x38bfc000 || is_unscaled_ordered(word);
}

/* A register of 16 bytes is accessed as two halves. */
static bool is_quadword(uint32_t word) {
    if (!is_vector(word)) return false;
    if (is_single(word)) return !(word >> 30) && word & 1u << 23;
    return (is_pair(word) || is_literal(word)) && word >> 30 == 2;
}

/* As a power of 2. Of several structures the library may load more than one element at once. */
static unsigned element_of(uint32_t word, unsigned size) {
    return (word & 0xbf000000) == 0x0c000000 ? word >> 10 & 3 : size;
}

static int64_t signed_field(uint32_t word, unsigned low, unsigned width) {
    return (int64_t)((uint64_t)word << (64 - low - width)) >> (64 - width);
}

/* How the first address is aligned, as a power of 2, if the base is a multiple of 16; 0 where a register is added. */
static unsigned alignment_from_base(uint32_t word) {
    int64_t offset = 0;
    unsigned size = word >> 30;
    if (is_pair(word)) {
        unsigned scale = is_vector(word) ? 2 + size : 2 + (size >> 1);
        if ((word >> 23 & 3) != 1) offset = signed_field(word, 15, 7) * (1 << scale); /* 1: post-index */
    } else if (is_single(word) && word & 1u << 24) {
        unsigned scale = is_quadword(word) ? 4 : size;
        offset = (int64_t)(word >> 10 & 0xfff) << scale;
    } else if (is_unscaled_ordered(word) || (is_single(word) && !(word & 1u << 21))) {
        if ((word >> 10 & 3) != 1) offset = signed_field(word, 12, 9);
    } else if (is_single(word) && word & 1u << 10) { /* LDRAA, LDRAB */
        offset = (signed_field(word, 22, 1) * 512 + (word >> 12 & 0x1ff)) * 8;
    } else if (is_single(word) && (word >> 10 & 3) == 2) {
        return 0;
    } else if (!is_single(word) && !is_exclusive(word) && !is_structure(word)) {
        return 0;
    }
    return (unsigned)__builtin_ctzll((uint64_t)offset | 16);
}

static unsigned larger(unsigned a, unsigned b) { return a > b ? a : b; }

static unsigned asked_by_a64(unsigned size, unsigned asked) {
    if (flags & FLAG_ALIGNED || is_ordered(instruction))
        asked = larger(asked, is_quadword(instruction) && accesses % 2 == 0 ? 4 : element_of(instruction, size));
    if (flags & FLAG_STACK && !accesses && is_load_or_store(instruction) && base_of(instruction) == 31)
        asked = larger(asked, alignment_from_base(instruction));
    return asked;
}

/* An alignment that the instruction names is one of its first address. */
static unsigned asked_by_aarch32(unsigned size, unsigned asked) {
    if (flags & FLAG_ALIGNED || encoding.always)
        asked = larger(asked, encoding.each == EACH_ITS_SIZE ? size : encoding.each);
    return accesses ? asked : larger(asked, encoding.first);
}

/* What the library asks of an access, and what is asked besides. */
uint32_t align_access(uint32_t memop) {
    if (!running) return memop;
    unsigned size = memop & MEMOP_SIZE, asked = (memop & MEMOP_ALIGN_MASK) >> MEMOP_ALIGN_SHIFT;
    if (asked == MEMOP_ALIGN_NATURAL) asked = size;
    asked = flags & FLAG_A64 ? asked_by_a64(size, asked) : asked_by_aarch32(size, asked);
    accesses++;
    return (memop & ~MEMOP_ALIGN_MASK) | asked << MEMOP_ALIGN_SHIFT;
}

EXPORT void tcg_gen_qemu_ld_i64_aarch64(void *s, void *value, void *address, uint64_t index, uint32_t memop) {
    unicorn.ld_i64(s, value, address, index, align_access(memop));
}

static uint32_t instruction_at(struct core *core, uintptr_t from) {
    unicorn.restore_state(core->cpu, from, false);
    return unicorn.load_code(core->env, core_pc(core));
}

/* A misaligned SP is found by the address that it makes, and goes before all else that is wrong with that. */
static bool by_stack_pointer(struct core *core, uintptr_t from) {
    if (!(FIELD(uint32_t, core->env, ENV_HFLAGS) & FLAG_A64)) return false;
    if (!(FIELD(uint32_t, core->env, ENV_HFLAGS) & FLAG_STACK) || !(core_x(core)[31] & 15)) return false;
    uint32_t word = instruction_at(core, from);
    return is_load_or_store(word) && !is_literal(word) && base_of(word) == 31;
}

EXPORT void arm_cpu_do_unaligned_access_aarch64(void *cpu, uint64_t va, int access, int mmu_index, uintptr_t from) {
    struct core *core = running;
    if (core && core->cpu == cpu && by_stack_pointer(core, from)) {
        cpu_restore_state_aarch64(cpu, from, true);
        unicorn.raise_exception(core->env, EXCP_UDEF, SP_ALIGNMENT, 1);
    }
    if (core && core->cpu == cpu && access == MMU_DATA_STORE && from && !aarch32_state(core) &&
        loads_and_stores(instruction_at(core, from)))
        access = MMU_DATA_LOAD; /* a load would be no better */
    unicorn.unaligned_access(cpu, va, access, mmu_index, from);
}

/* As MAIR_EL1 has it: 0b0000xxxx. */
bool align_maps_device(struct core *core, uint32_t memory_type) {
    return translates(core->env) && !(memory_type >> 4 & 0xf);
}

bool align_is_device(struct core *core, uint32_t memory_type) {
    return !translates(core->env) || align_maps_device(core, memory_type);
}

/* On the slow path: an access to Device memory that is not aligned, where the translation itself has no fault. */
void align_check(struct core *core, uint64_t va, unsigned size, int access, int mmu_index, uintptr_t from) {
    if (!(va & (size - 1)) || !translates(core->env)) return;
    uint64_t ipa;
    uint32_t memory_type;
    if (!stage1_translate(core, va, access, mmu_index, &ipa, &memory_type)) return;
    if (!align_maps_device(core, memory_type)) return;
    unsigned element = FIELD(uint32_t, core->env, ENV_AARCH64) ? 1u << element_of(instruction_at(core, from), 3) : size;
    if (va & (element - 1) & (size - 1)) arm_cpu_do_unaligned_access_aarch64(core->cpu, va, access, mmu_index, from);
}
