/* What an instruction is, by its encoding (unprivileged architecture, 35). */
#ifndef BAONET_RISCV_ENCODING_H
#define BAONET_RISCV_ENCODING_H

#include <stdbool.h>
#include <stdint.h>

#define IS_COMPRESSED(half) (((half) & 3) != 3)

/* Reserved in RV64GC: quadrant 0 where Zcb has its own, and the rest of what C.ADDW is one of. */
#define IS_RESERVED_HALF(half) (((half) & 0xe003) == 0x8000 || ((half) & 0xfc43) == 0x9c41)

/* C.FLD, C.FSD, C.FLDSP, C.FSDSP */
#define IS_FLOAT_HALF(half) (((half) & 0x6001) == 0x2000)

#define NOP 0x00000013u
#define FENCE_I 0x0000100fu
#define PAUSE 0x0100000fu
#define WFI 0x10500073u
#define SRET 0x10200073u
#define UNDEFINED 0xffffffffu /* of 32 bits */
#define UNDEFINED_HALF 0u
#define JUMP_TO_SELF 0xa001u  /* C.J, of 16 */

#define OPCODE(word) ((word) & 0x7f)
#define FUNCT3(word) ((word) >> 12 & 7)
#define RD(word) ((word) >> 7 & 31)
#define RS1(word) ((word) >> 15 & 31)
#define RS2(word) ((word) >> 20 & 31)
#define FUNCT7(word) ((word) >> 25)
#define CSR(word) ((word) >> 20)
#define OPCODE_LOAD 0x03u
#define OPCODE_FENCE 0x0fu
#define OPCODE_STORE 0x23u
#define OPCODE_AMO 0x2fu
#define OPCODE_FLOAT 0x53u
#define OPCODE_SYSTEM 0x73u

#define IS_FENCE_I(word) (((word) & 0x707f) == 0x100f)
/* FENCE with neither predecessors nor successors and a register as rs1, which is a hint for nobody: what it has is marked. */
#define IS_MARK(word) (((word) & 0xfff07fff) == OPCODE_FENCE && RS1(word))
#define IS_FMV_W_X(word) (((word) & 0xfff07000) == 0xf0000000) /* of what is OP-FP */
#define IS_FSGNJ_S(word) (((word) & 0xfe000000) == 0x20000000 && FUNCT3(word) < 3)
#define IS_FSGNJ_D(word) (((word) & 0xfe00707f) == 0x22000053)
#define IS_FLOAT_MOVE(word) (OPCODE(word) == OPCODE_FLOAT && (IS_FMV_W_X(word) || IS_FSGNJ_S(word)))
#define IS_SFENCE_VMA(word) (((word) & 0xfe007fff) == 0x12000073)

/* The ones of the hypervisor's loads and stores that there are: HLV, HLVX and HSV. */
bool encoding_is_hypervisor_access(uint32_t word);

/* CBO.INVAL, CLEAN, FLUSH, ZERO, by bits 31:20. */
enum { CBO_INVAL = 0, CBO_CLEAN = 1, CBO_FLUSH = 2, CBO_ZERO = 4 };
#define IS_CBO(word) (((word) & 0x7fff) == 0x200f && ((word) >> 20 <= CBO_FLUSH || (word) >> 20 == CBO_ZERO))

static inline bool is_csr_instruction(uint32_t word) { return OPCODE(word) == OPCODE_SYSTEM && FUNCT3(word) & 3; }

/* Whether a CSR instruction writes, whatever the value (CSRRW, CSRRS and CSRRC of something but x0 or 0). */
static inline bool writes_csr(uint32_t word) { return (FUNCT3(word) & 3) == 1 || RS1(word); }

/* A load or store of one register, as Bao decodes it for a device that it emulates. */
struct plain_access {
    bool store;
    unsigned size, reg, length;
};

/* False: it is none. */
bool encoding_plain_access(uint32_t word, struct plain_access *access);

#endif
