/*
 * The order of loads and stores (unprivileged architecture, 18: RVWMO). The library does not say of RISC-V that it is weaker than
 * the host, and has a barrier before every load; the guest's own ones, of FENCE, aq and rl, are all that is needed.
 */
#include "architecture.h"
#include "leave.h"
#include "riscv/riscv.h"

#define MO_STORE_LOAD 0x02u /* what the host does not keep by itself */
#define BAR_SC 0x30u
#define OF_A_LOAD (MO_STORE_LOAD | BAR_SC)

EXPORT void tcg_gen_mb_riscv64(void *s, uint32_t type) {
    if (!running || type != OF_A_LOAD) riscv.mb(s, type);
}
