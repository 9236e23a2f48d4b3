/* Floating point where the library does not do what the manual says. */
#ifndef BAONET_RISCV_FLOAT_H
#define BAONET_RISCV_FLOAT_H

#include "core.h"

enum { FLOAT_SIGN, FLOAT_OTHER_SIGN, FLOAT_SIGN_PRODUCT, FLOAT_FROM_X }; /* FSGNJ.S, FSGNJN.S, FSGNJX.S, FMV.W.X */
#define FLOAT_MOVE(word) ((IS_FMV_W_X(word) ? FLOAT_FROM_X : FUNCT3(word)) << 10 | ((word) >> 15 & 0x3ff))

/* One of these, as FLOAT_MOVE has it of its encoding, into the register `to`. */
void float_move(struct core *core, unsigned to, unsigned operation, uintptr_t from);

#endif
