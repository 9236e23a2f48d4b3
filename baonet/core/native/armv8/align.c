/*
 * Alignment (Arm ARM B2.5.2, D1.3.5 and D17.2.118, SCTLR_EL1.A and SA). What the code asks for is decided when a block is
 * translated, from the flags that the block is found by and the instruction: the check is then part of the comparison
 * with the TLB, and costs nothing. What the memory type asks for (Device) is seen on the slow path, which a page of RAM
 * that is mapped as Device never leaves.
 */
#include "armv8/align.h"

#include "armv8/aarch32.h"
#include "armv8/arm.h"
#include "armv8/encoding32.h"
#include "armv8/encoding64.h"
#include "armv8/flags.h"
#include "armv8/observed.h"
#include "armv8/walk.h"
#include "count.h"
#include "leave.h"

#define MEMOP_SIZE 3u
#define MEMOP_ALIGN_SHIFT 4
#define MEMOP_ALIGN_NATURAL 7u

#define SP_ALIGNMENT (0x26u << 26 | 1u << 25)

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

bool align_loses_base(void) { return running && !(flags & FLAG_A64) && encoding.loses_base && !accesses; }

static unsigned larger(unsigned a, unsigned b) { return a > b ? a : b; }

static unsigned asked_by_a64(unsigned size, unsigned asked) {
    if (flags & FLAG_ALIGNED || encoding64_is_ordered(instruction))
        asked = larger(asked, encoding64_is_quadword(instruction) && accesses % 2 == 0
                                  ? 4
                                  : encoding64_element(instruction, size));
    if (flags & FLAG_STACK && !accesses && encoding64_accesses(instruction) && encoding64_base(instruction) == 31)
        asked = larger(asked, encoding64_alignment(instruction));
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
    library_weigh(s);
    arm.ld_i64(s, value, address, index, align_access(memop));
    observed_access(s, address, memop, MEMSYS_LOAD);
}

static uint32_t instruction_at(struct core *core, uintptr_t from) {
    unicorn.restore_state(core->cpu, from, false);
    return arm.load_code(core->env, core_pc(core));
}

/* A misaligned SP is found by the address that it makes, and goes before all else that is wrong with that. */
static bool by_stack_pointer(struct core *core, uintptr_t from) {
    if (!(FIELD(uint32_t, core->env, ENV_HFLAGS) & FLAG_A64)) return false;
    if (!(FIELD(uint32_t, core->env, ENV_HFLAGS) & FLAG_STACK) || !(core_x(core)[31] & 15)) return false;
    uint32_t word = instruction_at(core, from);
    return encoding64_accesses(word) && !encoding64_is_literal(word) && encoding64_base(word) == 31;
}

EXPORT void arm_cpu_do_unaligned_access_aarch64(void *cpu, uint64_t va, int access, int mmu_index, uintptr_t from) {
    struct core *core = running;
    if (core && core->cpu == cpu && by_stack_pointer(core, from)) {
        cpu_restore_state_aarch64(cpu, from, true);
        arm.raise_exception(core->env, EXCP_UDEF, SP_ALIGNMENT, 1);
    }
    if (core && core->cpu == cpu && access == MMU_DATA_STORE && from && !aarch32_state(core) &&
        encoding64_loads_and_stores(instruction_at(core, from)))
        access = MMU_DATA_LOAD; /* a load would be no better */
    arm.unaligned_access(cpu, va, access, mmu_index, from);
}

/* As MAIR_EL1 has it: 0b0000xxxx. */
bool align_maps_device(struct core *core, uint32_t memory_type) {
    return flags_translates(core->env) && !(memory_type >> 4 & 0xf);
}

bool align_is_device(struct core *core, uint32_t memory_type) {
    return !flags_translates(core->env) || align_maps_device(core, memory_type);
}

/* On the slow path: an access to Device memory that is not aligned, where the translation itself has no fault. */
void align_check(struct core *core, uint64_t va, unsigned size, int access, int mmu_index, uintptr_t from) {
    if (!(va & (size - 1)) || !flags_translates(core->env)) return;
    uint64_t ipa;
    uint32_t memory_type;
    if (!stage1_translate(core, va, access, mmu_index, &ipa, &memory_type)) return;
    if (!align_maps_device(core, memory_type)) return;
    unsigned element = size;
    if (FIELD(uint32_t, core->env, ENV_AARCH64)) element = 1u << encoding64_element(instruction_at(core, from), 3);
    if (va & (element - 1) & (size - 1)) arm_cpu_do_unaligned_access_aarch64(core->cpu, va, access, mmu_index, from);
}
