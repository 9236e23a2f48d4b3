/* What ICH_* says of the virtual CPU interface: masks, priorities, and what waits in the list registers. */
#include "armv8/interface_state.h"

#define HCR_UIE 2u
#define HCR_LRENPIE 4u
#define HCR_NPIE 8u
#define LR_EOI (1ull << 41)

uint32_t interface_pmr(struct core *core) { return core->ich[ICH_VMCR] >> VMCR_PMR_SHIFT & 0xff; }
uint32_t interface_bpr0(struct core *core) { return core->ich[ICH_VMCR] >> VMCR_BPR0_SHIFT & 7; }
uint32_t interface_bpr1(struct core *core) { return core->ich[ICH_VMCR] >> VMCR_BPR1_SHIFT & 7; }

/* The bits of a priority that make one preempt another. */
uint32_t interface_group_mask(struct core *core, bool group1) {
    uint32_t keep = group1 && !(core->ich[ICH_VMCR] & VMCR_CBPR) ? interface_bpr1(core) : interface_bpr0(core) + 1;
    return (0xffu << keep) & PRIORITY_MASK;
}

uint32_t interface_running_priority(struct core *core) {
    uint32_t active = (uint32_t)(core->ich[ICH_AP0R0] | core->ich[ICH_AP1R0]);
    return active ? (uint32_t)__builtin_ctz(active) << (8 - PRIORITY_BITS) : INTERFACE_IDLE;
}

/* The list register of the highest priority pending interrupt of an enabled group; ties by index. -1: none. */
int interface_highest_pending(struct core *core) {
    int best = -1;
    uint32_t best_priority = INTERFACE_IDLE;
    for (unsigned i = 0; i < core->list_registers; i++) {
        uint64_t lr = core->ich[i];
        if ((lr & LR_STATE) != LR_PENDING) continue;
        if (!(core->ich[ICH_VMCR] & (lr & LR_GROUP1 ? VMCR_ENG1 : VMCR_ENG0))) continue;
        if (LR_PRIORITY(lr) < best_priority) {
            best = (int)i;
            best_priority = LR_PRIORITY(lr);
        }
    }
    return best;
}

bool interface_signalled(struct core *core, int index) {
    if (index < 0 || !(core->ich[ICH_HCR] & HCR_EN)) return false;
    uint64_t lr = core->ich[index];
    uint32_t priority = LR_PRIORITY(lr), current = interface_running_priority(core), mask = interface_group_mask(core, lr & LR_GROUP1);
    if (priority >= interface_pmr(core)) return false;
    return current == INTERFACE_IDLE || (priority & mask) < (current & mask);
}

/* Whether ICH_MISR_EL2 would not be 0. */
bool interface_wants_maintenance(const struct core *core) {
    uint64_t hcr = core->ich[ICH_HCR];
    bool any_pending = false;
    unsigned valid = 0;
    if (!(hcr & HCR_EN)) return false;
    for (unsigned i = 0; i < core->list_registers; i++) {
        uint64_t lr = core->ich[i];
        if (lr & LR_STATE) {
            valid++;
            any_pending |= (lr & LR_STATE) == LR_PENDING;
        } else if ((lr & (LR_HW | LR_EOI)) == LR_EOI) {
            return true;
        }
    }
    if ((hcr & HCR_UIE) && valid <= 1) return true;
    if ((hcr & HCR_LRENPIE) && (hcr & HCR_EOICOUNT)) return true;
    if ((hcr & HCR_NPIE) && !any_pending) return true;
    uint64_t vmcr = core->ich[ICH_VMCR];
    return ((hcr & 0x10) && (vmcr & VMCR_ENG0)) || ((hcr & 0x20) && !(vmcr & VMCR_ENG0)) ||
           ((hcr & 0x40) && (vmcr & VMCR_ENG1)) || ((hcr & 0x80) && !(vmcr & VMCR_ENG1));
}
