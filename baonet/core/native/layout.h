/*
 * Structure offsets and enumeration values of libunicorn.so.2 in the wheel unicorn 2.1.4, x86-64 Linux. They follow
 * from its sources and build flags; unicorn.c refuses any other library, and the start-up self-test checks the rest. They
 * are the same for every architecture; the others are in its arch.h.
 */
#ifndef BAONET_LAYOUT_H
#define BAONET_LAYOUT_H

/* struct uc_struct */
#define UC_CPU 440
#define UC_TCG_CTX 768
#define UC_SIZE_RECUR_MEM 1384
#define UC_STOP_REQUEST 1389
#define UC_QUIT_REQUEST 1390
#define UC_INVALID_ADDR 1416
#define UC_INVALID_ERROR 1424
#define UC_NESTED_LEVEL 14840
#define UC_SKIP_SYNC_PC 14898

/* TCGContext, TCGOp, TCGLabel */
#define TCG_NB_OPS 56
#define TCG_TB_CFLAGS 100
#define TCG_PROLOGUE 144
#define TCG_CODE_BUFFER 160 /* behind it */
#define TCG_HIGHWATER 208 /* beyond which the code buffer is full */
#define TCG_INSTRUCTION_WORDS (TCG_TABLE - BLOCK_INSTRUCTIONS * INSN_START_WORDS * 8) /* of the block that is translated: gen_insn_data */
#define TCG_INSTRUCTION_ENDS (TCG_INSTRUCTION_WORDS - BLOCK_INSTRUCTIONS * 2) /* gen_insn_end_off */
#define TCG_OP_OPCODE 0 /* a byte */
#define TCG_OP_PARAMETERS 1
#define TCG_OP_ARGS 24
#define TCG_CALL_NO_READ_GLOBALS 1

/* struct qht_map: of blocks by their hashes */
#define TABLE_PLACE 0
#define TABLE_COUNT 8
#define TABLE_ADDED 16
#define TABLE_THRESHOLD 24

/* TranslationBlock */
#define TB_PC 0
#define TB_CS_BASE 8
#define TB_FLAGS 16
#define TB_SIZE 20
#define TB_ICOUNT 22
#define TB_CFLAGS 24
#define TB_CODE 32
#define TB_CODE_SIZE 40
#define TB_PAGES 72 /* RAM offsets of the two that it may be on */
#define TB_JUMP_RESET 88 /* of its two jumps, how far from the host code's start what follows each is; or that there is none */
#define NO_JUMP 0xffff
#define TB_JUMP_PLACE 96 /* and where each has how far it jumps */

/* CPUState */
#define CS_CREATED 16
#define CS_STOP 17
#define CS_STOPPED 18
#define CS_EXIT_REQUEST 21
#define CS_CFLAGS_NEXT_TB 24
#define CS_INTERRUPT_REQUEST 28
#define CS_ENV_PTR 296
#define CS_ICOUNT_DECR_PTR 304
#define CS_BREAKPOINTS 33096 /* the first; NULL: there is none */
#define CS_HALTED 33176
#define CS_EXCEPTION_INDEX 33184
#define CS_UC 33192

/* CPUTLBDescFast, CPUTLBEntry */
#define TLB_FAST_SIZE 16
#define TLB_DESC_SIZE 696
#define TLB_VICTIMS 8
#define TLB_DESC_VICTIM_IO 512 /* viotlb, from vtable; and iotlb, a pointer */
#define TLB_DESC_IO 640
#define TLB_IO_SIZE 16
#define TLB_FAST_TABLE 8
#define TLB_ENTRY_BITS 6
#define TLB_ENTRY_READ 0
#define TLB_ENTRY_WRITE 8
#define TLB_ENTRY_CODE 16
#define TLB_ENTRY_PADDR 24
#define TLB_ENTRY_ADDEND 32 /* from a virtual address to the host's */
#define TLB_ENTRY_SIZE 64
#define TLB_INVALID (1u << (ARCH_PAGE_BITS_MIN - 1))
#define TLB_NOTDIRTY (1u << (ARCH_PAGE_BITS_MIN - 2))
#define TLB_WATCHPOINT (1u << (ARCH_PAGE_BITS_MIN - 4))

/* values */
#define CF_NOCACHE 0x00010000u
#define CF_PARALLEL 0x00080000u
#define CF_COUNT_MASK 0x7fffu
#define BLOCK_INSTRUCTIONS 512u /* that a translation has at most */
#define EXCP_INTERRUPT 0x10000
#define EXCP_HLT 0x10001
#define EXCP_DEBUG 0x10002
#define EXCP_YIELD 0x10004
#define CPU_INTERRUPT_HARD 0x2u
#define MEMOP_ALIGN_MASK 0x70u /* by its size, all of them; or the bits of it */
#define MEMOP_ALIGN_SHIFT 4
#define MMU_INDEX_WIDTH 4 /* of a TCGMemOpIdx; the operation is above */
#define MMU_INDEX_BITS 0xfu
#define MEMTX_OK 0
#define MEMTX_DECODE_ERROR 2
#define MMU_DATA_LOAD 0
#define MMU_DATA_STORE 1
#define MMU_INST_FETCH 2
#define PROT_EXEC_BIT 4
#define PROT_WRITE_BIT 2
#define INDEX_OP_SET_LABEL 1
#define INDEX_OP_CALL 2
#define INDEX_OP_MOVI_I32 6
#define INDEX_OP_LD_I32 13
#define INDEX_OP_ST_I32 16
#define INDEX_OP_SUB_I32 18
#define INDEX_OP_MOVI_I64 64
#define INDEX_OP_LD_I64 73
#define INDEX_OP_ST_I64 77
#define INDEX_OP_AND_I64 87
#define INDEX_OP_GOTO_PTR 132
#define TCG_TYPE_I32 0
#define TCG_TYPE_I64 1
#define TCG_COND_LT 2
#define TCG_COND_EQ 8
#define TCG_COND_NE 9

#endif
