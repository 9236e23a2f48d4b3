/* The control and status registers. */
#ifndef BAONET_RISCV_CSR_H
#define BAONET_RISCV_CSR_H

#include "core.h"

/* Which exception an access is that was refused: an illegal instruction, or a virtual one. */
uint64_t csr_refusal(const struct core *core, unsigned csr, bool writes);

#endif
