/*
 * What the library's decoder is given to decode. Some instructions are done here (ask.c): they ask first, and the decoder gets
 * another of the same length, that does nothing, or ends the block behind it.
 *
 * An instruction over the end of a page is always the first of its block: the block before ends with a jump to it, which is none of
 * its instructions. So whether the second page can be fetched is asked where the guest is at that instruction, and where blocks end
 * does not depend on it.
 */
#include "architecture.h"
#include "common_blocks.h"
#include "leave.h"
#include "riscv/ask.h"
#include "riscv/encoding.h"
#include "riscv/float.h"
#include "riscv/registers.h"
#include "riscv/riscv.h"

static _Thread_local uint8_t *block; /* the TranslationBlock, while it is translated */
static _Thread_local uint64_t second_at; /* where the second half of an instruction is, and what the decoder is to find there */
static _Thread_local uint32_t second_half;
static _Thread_local bool ends_before_page;

void arch_block_begin(void *tb) {
    block = tb;
    second_at = UINT64_MAX;
    ends_before_page = false;
}

void arch_block_end(void) {
    if (ends_before_page) FIELD(uint16_t, block, TB_ICOUNT)--;
    block = NULL;
}

/* Of what code of the library's is given, its registers and numbers are all. */
bool arch_calls_own(const void *function) {
    (void)function;
    return false;
}

#define MODE_TSO 8u                    /* of FENCE, bits 31:28 */
#define PREDECESSOR_WRITES 0x05000000u /* O, W */
#define SUCCESSOR_READS 0x00a00000u    /* I, R */

/* The host keeps all order but that of a load behind a store. */
static bool is_weak_fence(uint32_t word) {
    if ((word & 0x707f) != OPCODE_FENCE) return false;
    return word >> 28 == MODE_TSO || !(word & PREDECESSOR_WRITES) || !(word & SUCCESSOR_READS);
}

/* While FP registers are off, a block is another than while they are on. */
static bool floats_are_off(void) { return !(ENV64(running, ENV_MSTATUS) & STATUS_FS); }

/* The library does nothing for what is reserved, and some that work on FP registers do so while they are off. */
static bool is_undefined(uint32_t half) { return IS_RESERVED_HALF(half) || (IS_FLOAT_HALF(half) && floats_are_off()); }

static uint32_t replaced(uint32_t word) {
    if (word == PAUSE || word == WFI) {
        ask_emit(running, word == PAUSE ? ASK_PAUSE : ASK_WFI, 0, 0);
        return FENCE_I;
    }
    if (IS_FENCE_I(word)) {
        ask_emit(running, ASK_FENCE_I, 0, 0);
        return FENCE_I;
    }
    if (IS_MARK(word)) {
        ask_emit(running, ASK_MARK, RS1(word), 0);
        return FENCE_I; /* the time of a record is that at the end of its block */
    }
    if (IS_SFENCE_VMA(word) || IS_CBO(word)) {
        ask_emit(running, IS_CBO(word) ? ASK_CBO : ASK_SFENCE, RS1(word), IS_CBO(word) ? word >> 20 : RS2(word));
        return NOP;
    }
    if (IS_FLOAT_MOVE(word)) {
        ask_emit(running, ASK_FLOAT, RD(word), FLOAT_MOVE(word));
        return NOP;
    }
    if (IS_FSGNJ_D(word) && floats_are_off()) return UNDEFINED;
    if (is_csr_instruction(word) && writes_csr(word) && CSR(word) >> 10 == 3) return UNDEFINED; /* whatever the value */
    return is_weak_fence(word) ? NOP : word;
}

static uint32_t load_half(void *env, uint64_t pc) {
    uint32_t half = riscv.load_half(env, pc);
    common_blocks_read(running, pc, half, 2);
    return half;
}

EXPORT uint32_t cpu_lduw_code_riscv64(void *env, uint64_t pc) {
    if (!block || !running || running->env != env) return riscv.load_half(env, pc);
    if (pc == second_at) {
        second_at = UINT64_MAX;
        return second_half;
    }
    uint32_t half = load_half(env, pc);
    if (IS_COMPRESSED(half)) return is_undefined(half) ? UNDEFINED_HALF : half;
    if (!((pc + 2) & (PAGE_SIZE - 1)) && pc != FIELD(uint64_t, block, TB_PC)) {
        ends_before_page = true;
        return JUMP_TO_SELF;
    }
    uint32_t word = replaced(load_half(env, pc + 2) << 16 | half);
    second_at = pc + 2;
    second_half = word >> 16;
    return word & 0xffff;
}
