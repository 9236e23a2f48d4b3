/*
 * What the library's decoder is given to decode. Two things are not as they are in memory.
 *
 * The library makes WFE and YIELD no-ops in parallel code, since QEMU's other CPUs run anyway. Here a CPU that spins may
 * keep the one that it waits for off the host, so for these two the translator is told that the code is not parallel.
 *
 * Some encodings that no CPU has, or not in Armv8, the decoder takes for something: it ends the process, or does what
 * Armv7 did. It gets a permanently undefined instruction instead, of the same length.
 */
#include "architecture.h"
#include "armv8/align.h"
#include "armv8/arm.h"
#include "armv8/encoding32.h"
#include "armv8/exceptions.h"
#include "armv8/flags.h"
#include "armv8/observed.h"
#include "armv8/order.h"
#include "common_blocks.h"
#include "leave.h"

enum { A64, A32, T32 };

static _Thread_local uint8_t *block; /* the TranslationBlock, while it is translated */
static _Thread_local uint8_t instruction_set;
static _Thread_local uint64_t second_at; /* T32: where the second half-word of an instruction is, and what the first was */
static _Thread_local uint32_t first_half;
static _Thread_local bool first_undefined;

void arch_block_begin(void *tb) {
    block = tb;
    uint32_t flags = FIELD(uint32_t, tb, TB_FLAGS);
    instruction_set = flags & TB_FLAG_AARCH64 ? A64 : flags & TB_FLAG_THUMB ? T32 : A32;
    second_at = UINT64_MAX;
    align_block(flags);
    observed_block(flags);
    order_block();
}

void arch_block_end(void) { block = NULL; }

/* These are given an entry of the CPU's table of registers. */
bool arch_calls_own(const void *function) {
    const void *const own[] = {helper_access_check_cp_reg_aarch64, arm.get_register, arm.set_register, arm.get_register64, arm.set_register64};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (function == own[i]) return true;
    return false;
}

static bool no_setend(void) { return FIELD(uint32_t, block, TB_FLAGS) & FLAG_NO_SETEND; }

static void let_yield(bool yields) {
    uint32_t *flags = &FIELD(uint32_t, block, TB_CFLAGS);
    *flags = yields ? *flags & ~CF_PARALLEL : *flags | CF_PARALLEL;
}

#define A64_UDF 0x00000000u
#define A64_YIELD 0xd503203fu
#define A64_WFE 0xd503205fu

/*
 * Half-precision arithmetic on vectors (Arm ARM C4.1.95, "Advanced SIMD three same (FP16)" and "two-register
 * miscellaneous (FP16)"), of which the decoder ends the process with what is unallocated. A bit is an allocated one.
 */
#define SAME_ALLOCATED 0x75fdc7dfu /* by U:a:opcode */
static const uint32_t misc_vector[] = {0x3f000000, 0x2f00f000, 0x3f000000, 0xae00b000}; /* by U:a, then opcode */
static const uint32_t misc_scalar[] = {0x3c000000, 0xac007000, 0x3c000000, 0x2c003000};

static bool undefined_a64(uint32_t word) {
    unsigned u_a = (word >> 28 & 2) | (word >> 23 & 1);
    if ((word & 0x9f60c400) == 0x0e400400) return !(SAME_ALLOCATED >> (u_a << 3 | (word >> 11 & 7)) & 1);
    if ((word & 0x9f7e0c00) == 0x0e780800) return !(misc_vector[u_a] >> (word >> 12 & 31) & 1);
    if ((word & 0xdf7e0c00) == 0x5e780800) return !(misc_scalar[u_a] >> (word >> 12 & 31) & 1);
    return false;
}

#define A32_UDF 0xe7f000f0u
#define A32_HINT(word) ((word) >> 28 < 15 && ((word) & 0x0fffff00) == 0x0320f000 ? (word) & 0xff : 0)
enum { HINT_YIELD = 1, HINT_WFE = 2 };

EXPORT uint32_t cpu_ldl_code_aarch64(void *env, uint64_t pc) {
    uint32_t word = arm.load_code(env, pc);
    if (!block) return word;
    common_blocks_read(running, pc, word, 4);
    if (instruction_set == A64) {
        align_instruction(word);
        observed_instruction(pc, word);
        let_yield(word == A64_WFE || word == A64_YIELD);
        return undefined_a64(word) ? A64_UDF : word;
    }
    struct encoding32 encoding = encoding32_of_a32(word, no_setend());
    align_instruction32(encoding);
    observed_instruction32(pc, encoding.each != EACH_ITS_SIZE);
    unsigned hint = A32_HINT(word);
    let_yield(hint == HINT_YIELD || hint == HINT_WFE);
    uint32_t condition = word >> 28 < 15 ? word & 0xf0000000u : 0xe0000000u;
    return encoding.undefined ? condition | (A32_UDF & 0x0fffffffu) : word;
}

#define T32_HINT(half) (((half) & 0xff0f) == 0xbf00 ? (half) >> 4 & 15 : 0)
#define T32_WIDE_HINT 0xf3af
#define T32_IS_WIDE(half) ((half) >= 0xe800)
#define T32_UDF 0xde00u
#define T32_WIDE_UDF 0xf7f0u /* and 0xa000 */
#define T32_WIDE_UDF_SECOND 0xa000u

/*
 * The second half is looked at with the first: it may be what tells that the instruction is none. Not where that would
 * fault too early: the library also looks whether the next instruction goes over the end of the page.
 */
static bool may_look_ahead(uint64_t pc) {
    return (pc & (PAGE_SIZE - 1)) != PAGE_SIZE - 2 || pc == FIELD(uint64_t, block, TB_PC);
}

static uint32_t load_half(void *env, uint64_t pc) {
    uint32_t half = arm.load_half(env, pc);
    if (block) common_blocks_read(running, pc, half, 2);
    return half;
}

static uint32_t first_of_wide(void *env, uint64_t pc, uint32_t half) {
    second_at = pc + 2;
    first_half = half;
    first_undefined = false;
    if (!may_look_ahead(pc)) {
        observed_instruction32(pc, true);
        return half;
    }
    struct encoding32 encoding = encoding32_of_wide_t32(half << 16 | load_half(env, pc + 2));
    align_instruction32(encoding);
    observed_instruction32(pc, encoding.each != EACH_ITS_SIZE);
    first_undefined = encoding.undefined;
    return encoding.undefined ? T32_WIDE_UDF : half;
}

EXPORT uint32_t cpu_lduw_code_aarch64(void *env, uint64_t pc) {
    if (block && pc == second_at) {
        second_at = UINT64_MAX;
        if (first_undefined) return T32_WIDE_UDF_SECOND;
        uint32_t half = load_half(env, pc);
        unsigned hint = first_half == T32_WIDE_HINT && (half & 0xff00) == 0x8000 ? half & 0xff : 0;
        let_yield(hint == HINT_YIELD || hint == HINT_WFE);
        return half;
    }
    uint32_t half = load_half(env, pc);
    if (!block) return half;
    let_yield(T32_HINT(half) == HINT_YIELD || T32_HINT(half) == HINT_WFE);
    if (T32_IS_WIDE(half)) return first_of_wide(env, pc, half);
    second_at = UINT64_MAX;
    struct encoding32 encoding = encoding32_of_t32(half, no_setend());
    align_instruction32(encoding);
    observed_instruction32(pc, encoding.each != EACH_ITS_SIZE);
    return encoding.undefined ? T32_UDF : half;
}
