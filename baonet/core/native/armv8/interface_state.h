/* ICH_* of a core, and what follows from it alone; nothing here changes anything. */
#ifndef BAONET_INTERFACE_STATE_H
#define BAONET_INTERFACE_STATE_H

#include "core.h"

#define LR_GROUP1 (1ull << 60)
#define LR_HW (1ull << 61)
#define LR_PENDING (1ull << 62)
#define LR_ACTIVE (1ull << 63)
#define LR_STATE (LR_PENDING | LR_ACTIVE)
#define LR_INTID(lr) ((uint32_t)(lr))
#define LR_PRIORITY(lr) ((uint32_t)((lr) >> 48) & 0xff)
#define LR_PINTID(lr) ((uint32_t)((lr) >> 32) & 0x1fff)

#define HCR_EN 1u
#define HCR_EOICOUNT_SHIFT 27
#define HCR_EOICOUNT (0x1full << HCR_EOICOUNT_SHIFT)

#define VMCR_ENG0 1u
#define VMCR_ENG1 2u
#define VMCR_ACKCTL 4u
#define VMCR_FIQEN 8u
#define VMCR_CBPR 0x10u
#define VMCR_EOIM 0x200u
#define VMCR_BPR1_SHIFT 18
#define VMCR_BPR0_SHIFT 21
#define VMCR_PMR_SHIFT 24

#define PRIORITY_BITS 5
#define PRIORITY_MASK 0xf8u
#define INTERFACE_IDLE 0x100u

uint32_t interface_pmr(struct core *core);
uint32_t interface_bpr0(struct core *core);
uint32_t interface_bpr1(struct core *core);

/* The bits of a priority that make one preempt another, in group 0 or 1. */
uint32_t interface_group_mask(struct core *core, bool group1);

/* INTERFACE_IDLE: none. */
uint32_t interface_running_priority(struct core *core);

/* The list register of the highest priority pending interrupt, -1: none; and whether that one interrupts the guest. */
int interface_highest_pending(struct core *core);
bool interface_signalled(struct core *core, int index);

/* Whether ICH_MISR_EL2 would not be 0. */
bool interface_wants_maintenance(const struct core *core);

#endif
