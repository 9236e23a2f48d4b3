/* ICH_MISR_EL2 of the virtual CPU interface, as ICH_* make it (IHI 0069). */
#include "armv8/interface_state.h"

#define HCR_UIE 2u
#define HCR_LRENPIE 4u
#define HCR_NPIE 8u

/* Whether ICH_MISR_EL2 would not be 0. */
bool interface_wants_maintenance(const struct core *core) {
    uint64_t hcr = core->state.arch.ich[ICH_HCR];
    bool any_pending = false;
    unsigned valid = 0;
    if (!(hcr & HCR_EN)) return false;
    for (unsigned i = 0; i < core->arch.list_registers; i++) {
        uint64_t lr = core->state.arch.ich[i];
        if (lr & LR_STATE) {
            valid++;
            any_pending |= (lr & LR_STATE) == LR_PENDING;
        } else if (interface_ended(lr)) {
            return true;
        }
    }
    if ((hcr & HCR_UIE) && valid <= 1) return true;
    if ((hcr & HCR_LRENPIE) && (hcr & HCR_EOICOUNT)) return true;
    if ((hcr & HCR_NPIE) && !any_pending) return true;
    uint64_t vmcr = core->state.arch.ich[ICH_VMCR];
    return ((hcr & 0x10) && (vmcr & VMCR_ENG0)) || ((hcr & 0x20) && !(vmcr & VMCR_ENG0)) ||
           ((hcr & 0x40) && (vmcr & VMCR_ENG1)) || ((hcr & 0x80) && !(vmcr & VMCR_ENG1));
}
