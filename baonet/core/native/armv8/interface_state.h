/* ICH_* of a core, and what follows from it alone; nothing here changes anything. */
#ifndef BAONET_ARMV8_INTERFACE_STATE_H
#define BAONET_ARMV8_INTERFACE_STATE_H

#include "core.h"

#define LR_EOI (1ull << 41)
#define LR_GROUP1 (1ull << 60)
#define LR_HW (1ull << 61)
#define LR_PENDING (1ull << 62)
#define LR_ACTIVE (1ull << 63)
#define LR_STATE (LR_PENDING | LR_ACTIVE)
#define LR_INTID(lr) ((uint32_t)(lr))

#define HCR_EN 1u
#define HCR_EOICOUNT_SHIFT 27
#define HCR_EOICOUNT (0x1full << HCR_EOICOUNT_SHIFT)

#define VMCR_ENG0 1u
#define VMCR_ENG1 2u

/* A list register whose interrupt the guest has ended, of which the hypervisor is to be told. */
static inline bool interface_ended(uint64_t lr) { return !(lr & LR_STATE) && (lr & (LR_HW | LR_EOI)) == LR_EOI; }

/* Whether ICH_MISR_EL2 would not be 0. */
bool interface_wants_maintenance(const struct core *core);

#endif
