/* What the code of an instruction asks, that the library's own does not do, before that comes. */
#ifndef BAONET_RISCV_ASK_H
#define BAONET_RISCV_ASK_H

#include "core.h"

enum ask {
    ASK_FENCE_I = 1,
    ASK_PAUSE,
    ASK_WFI,
    ASK_SFENCE, /* of the address in a register; the operation is the ASID's */
    ASK_MARK,   /* what a register has, in the trace */
    ASK_CBO,    /* and by the operation, of the address in a register */
    ASK_FLOAT,  /* into a register, and by the operation: FLOAT_MOVE */
};

/* While an instruction is translated. `reg`: a register; `operation`: of ASK_SFENCE, ASK_CBO and ASK_FLOAT. */
void ask_emit(struct core *core, enum ask what, unsigned reg, unsigned operation);

#endif
