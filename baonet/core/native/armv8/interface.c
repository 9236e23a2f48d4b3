/*
 * The GIC virtual CPU interface: what the hardware does with the list registers that the hypervisor fills. ICC_*
 * accesses of a GICv3 guest (IHI 0069, "ICV_*") and the GICV frame of a GICv2 guest (IHI 0048) work on the same
 * ICH_* state. 5 priority bits; one active-priorities register a group.
 */
#include "armv8/interface.h"

#include "architecture.h"
#include "armv8/interface_state.h"
#include "armv8/register_table.h"
#include "armv8/timer.h"
#include "events.h"
#include "leave.h"
#include "trace.h"

#define LR_PINTID(lr) ((uint32_t)((lr) >> 32) & 0x1fff)
#define LR_PRIORITY(lr) ((uint32_t)((lr) >> 48) & 0xff)

#define VMCR_ACKCTL 4u
#define VMCR_FIQEN 8u
#define VMCR_CBPR 0x10u
#define VMCR_EOIM 0x200u
#define VMCR_BPR1_SHIFT 18
#define VMCR_BPR0_SHIFT 21
#define VMCR_PMR_SHIFT 24

#define PRIORITY_BITS 5
#define PRIORITY_MASK 0xf8u
#define MINIMUM_BPR0 2u
#define MINIMUM_BPR1 3u
#define SPURIOUS 1023u
#define SPURIOUS_GROUP1 1022u
#define IDLE 0x100u

static uint32_t pmr(struct core *core) { return core->state.arch.ich[ICH_VMCR] >> VMCR_PMR_SHIFT & 0xff; }
static uint32_t bpr0(struct core *core) { return core->state.arch.ich[ICH_VMCR] >> VMCR_BPR0_SHIFT & 7; }
static uint32_t bpr1(struct core *core) { return core->state.arch.ich[ICH_VMCR] >> VMCR_BPR1_SHIFT & 7; }

/* The bits of a priority that make one preempt another. */
static uint32_t group_mask(struct core *core, bool group1) {
    uint32_t keep = group1 && !(core->state.arch.ich[ICH_VMCR] & VMCR_CBPR) ? bpr1(core) : bpr0(core) + 1;
    return (0xffu << keep) & PRIORITY_MASK;
}

static uint32_t running_priority(struct core *core) {
    uint32_t active = (uint32_t)(core->state.arch.ich[ICH_AP0R0] | core->state.arch.ich[ICH_AP1R0]);
    return active ? (uint32_t)__builtin_ctz(active) << (8 - PRIORITY_BITS) : IDLE;
}

/* The list register of the highest priority pending interrupt of an enabled group; ties by index. -1: none. */
static int highest_pending(struct core *core) {
    int best = -1;
    uint32_t best_priority = IDLE;
    for (unsigned i = 0; i < core->arch.list_registers; i++) {
        uint64_t lr = core->state.arch.ich[i];
        if ((lr & LR_STATE) != LR_PENDING) continue;
        if (!(core->state.arch.ich[ICH_VMCR] & (lr & LR_GROUP1 ? VMCR_ENG1 : VMCR_ENG0))) continue;
        if (LR_PRIORITY(lr) < best_priority) {
            best = (int)i;
            best_priority = LR_PRIORITY(lr);
        }
    }
    return best;
}

static bool signalled(struct core *core, int index) {
    if (index < 0 || !(core->state.arch.ich[ICH_HCR] & HCR_EN)) return false;
    uint64_t lr = core->state.arch.ich[index];
    uint32_t priority = LR_PRIORITY(lr), current = running_priority(core);
    uint32_t mask = group_mask(core, lr & LR_GROUP1);
    if (priority >= pmr(core)) return false;
    return current == IDLE || (priority & mask) < (current & mask);
}

/* Drives the CPU's interrupt inputs from the state, and notes a maintenance interrupt. */
void interface_update(struct core *core) {
    uint32_t *request = &FIELD(uint32_t, core->cpu, CS_INTERRUPT_REQUEST), before = *request;
    int index = highest_pending(core);
    uint32_t inputs = 0;
    if (signalled(core, index)) {
        bool fiq = !(core->state.arch.ich[index] & LR_GROUP1) && (core->arch.gicv3 || (core->state.arch.ich[ICH_VMCR] & VMCR_FIQEN));
        inputs = fiq ? CPU_INTERRUPT_FIQ : CPU_INTERRUPT_HARD;
    }
    *request = (before & ~(CPU_INTERRUPT_HARD | CPU_INTERRUPT_FIQ)) | inputs;
    bool wanted = interface_wants_maintenance(core);
    if (wanted && !core->state.arch.maintenance) event_note(core, EXIT_MAINTENANCE, 0, 0);
    core->state.arch.maintenance = wanted;
}

void arch_update(struct core *core) { interface_update(core); }

bool arch_wants(struct core *core, const struct event *event) {
    if (event->reason != EXIT_MAINTENANCE) return true;
    core->state.arch.maintenance = false;
    return interface_wants_maintenance(core);
}

bool arch_list(struct core *core, unsigned interrupt, unsigned place, uint64_t value) {
    trace(core, TRACE_PENDING, interrupt, 0, 0);
    trace(core, TRACE_DELIVERED, interrupt, 0, 0);
    core->state.arch.ich[place] = value;
    return true;
}

bool arch_ends(struct core *core, enum exit_reason reason, unsigned place) {
    uint64_t *ich = core->state.arch.ich;
    if (reason != EXIT_MAINTENANCE || !interface_ended(ich[place]) || ich[ICH_HCR] & HCR_EOICOUNT) return false;
    for (unsigned i = 0; i < core->arch.list_registers; i++)
        if (i != place && interface_ended(ich[i])) return false;
    ich[place] = 0;
    return true;
}

/* What it is, and its end, the guest has from the CPU interface. */
bool arch_loads_lent(struct core *core, uint64_t ipa, unsigned size, uint64_t *value) {
    (void)core, (void)ipa, (void)size, (void)value;
    return false;
}
bool arch_stores_lent(struct core *core, uint64_t ipa, unsigned size, uint64_t value) {
    (void)core, (void)ipa, (void)size, (void)value;
    return false;
}

static uint32_t acknowledge(struct core *core, bool group1) {
    int index = highest_pending(core);
    if (!signalled(core, index)) return SPURIOUS;
    uint64_t lr = core->state.arch.ich[index];
    if (!(lr & LR_GROUP1) == group1) return SPURIOUS;
    uint32_t priority = LR_PRIORITY(lr) & group_mask(core, group1);
    core->state.arch.ich[group1 ? ICH_AP1R0 : ICH_AP0R0] |= 1u << (priority >> (8 - PRIORITY_BITS));
    core->state.arch.ich[index] = (lr & ~LR_STATE) | LR_ACTIVE;
    trace(core, TRACE_ACKNOWLEDGED, LR_INTID(lr), 0, 0);
    interface_update(core);
    return LR_INTID(lr);
}

static void count_unlisted(struct core *core) {
    uint64_t *hcr = &core->state.arch.ich[ICH_HCR];
    if ((*hcr & HCR_EOICOUNT) != HCR_EOICOUNT) *hcr += 1ull << HCR_EOICOUNT_SHIFT;
}

static void deactivate(struct core *core, uint32_t intid) {
    for (unsigned i = 0; i < core->arch.list_registers; i++) {
        uint64_t lr = core->state.arch.ich[i];
        if (!(lr & LR_ACTIVE) || LR_INTID(lr) != intid) continue;
        core->state.arch.ich[i] = lr & ~LR_ACTIVE;
        trace(core, TRACE_ENDED, intid, 0, 0);
        if (lr & LR_HW) {
            uint32_t physical = LR_PINTID(lr);
            if (physical < 32)
                timer_deactivate(core, physical);
            else
                event_note(core, EXIT_DEACTIVATED, physical, 0);
        }
        return;
    }
    count_unlisted(core);
}

static bool drop_priority(struct core *core, bool group1) {
    uint64_t *active = &core->state.arch.ich[group1 ? ICH_AP1R0 : ICH_AP0R0];
    uint32_t other = (uint32_t)core->state.arch.ich[group1 ? ICH_AP0R0 : ICH_AP1R0];
    if (!*active || (other && __builtin_ctz(other) < __builtin_ctzll(*active))) return false;
    *active &= *active - 1;
    return true;
}

static bool special(uint32_t intid) { return intid >= 1020 && intid <= 1023; }

static void end(struct core *core, uint32_t intid, bool group1) {
    if (special(intid)) return;
    bool dropped = drop_priority(core, group1);
    if (dropped && !(core->state.arch.ich[ICH_VMCR] & VMCR_EOIM)) deactivate(core, intid);
    interface_update(core);
}

/* DIR: deactivation where the EOI mode has split it from the priority drop. */
static void end_split(struct core *core, uint32_t intid) {
    if (special(intid) || !(core->state.arch.ich[ICH_VMCR] & VMCR_EOIM)) return;
    deactivate(core, intid);
    interface_update(core);
}

static uint32_t highest(struct core *core, bool group1) {
    int index = highest_pending(core);
    if (index < 0 || !(core->state.arch.ich[index] & LR_GROUP1) == group1) return SPURIOUS;
    return LR_INTID(core->state.arch.ich[index]);
}

static void set_field(struct core *core, uint64_t mask, uint64_t value) {
    core->state.arch.ich[ICH_VMCR] = (core->state.arch.ich[ICH_VMCR] & ~mask) | (value & mask);
    interface_update(core);
}

static void set_bpr(struct core *core, unsigned shift, uint32_t minimum, uint64_t value) {
    uint64_t bpr = value & 7;
    set_field(core, 7ull << shift, (bpr < minimum ? minimum : bpr) << shift);
}

#define ICC_PMR SYSREG(3, 0, 4, 6, 0)
#define ICC_IAR0 SYSREG(3, 0, 12, 8, 0)
#define ICC_EOIR0 SYSREG(3, 0, 12, 8, 1)
#define ICC_HPPIR0 SYSREG(3, 0, 12, 8, 2)
#define ICC_BPR0 SYSREG(3, 0, 12, 8, 3)
#define ICC_AP0R0 SYSREG(3, 0, 12, 8, 4)
#define ICC_AP1R0 SYSREG(3, 0, 12, 9, 0)
#define ICC_DIR SYSREG(3, 0, 12, 11, 1)
#define ICC_RPR SYSREG(3, 0, 12, 11, 3)
#define ICC_IAR1 SYSREG(3, 0, 12, 12, 0)
#define ICC_EOIR1 SYSREG(3, 0, 12, 12, 1)
#define ICC_HPPIR1 SYSREG(3, 0, 12, 12, 2)
#define ICC_BPR1 SYSREG(3, 0, 12, 12, 3)
#define ICC_CTLR SYSREG(3, 0, 12, 12, 4)
#define ICC_SRE SYSREG(3, 0, 12, 12, 5)
#define ICC_IGRPEN0 SYSREG(3, 0, 12, 12, 6)
#define ICC_IGRPEN1 SYSREG(3, 0, 12, 12, 7)

/* As QEMU's: 5 priority bits, 24 bits of INTID, no SEIs, Aff3 may be set in SGIs */
#define CTLR_FIXED (1u << 15 | 1u << 11 | (PRIORITY_BITS - 1) << 8)

uint64_t interface_read(struct core *core, uint32_t reg) {
    uint64_t vmcr = core->state.arch.ich[ICH_VMCR];
    switch (reg) {
    case ICC_IAR1: return acknowledge(core, true);
    case ICC_IAR0: return acknowledge(core, false);
    case ICC_HPPIR1: return highest(core, true);
    case ICC_HPPIR0: return highest(core, false);
    case ICC_PMR: return pmr(core);
    case ICC_RPR: return running_priority(core) == IDLE ? 0xff : running_priority(core);
    case ICC_BPR0: return bpr0(core);
    case ICC_BPR1:
        if (vmcr & VMCR_CBPR) return bpr0(core) == 7 ? 7 : bpr0(core) + 1;
        return bpr1(core);
    case ICC_CTLR: return CTLR_FIXED | (vmcr & VMCR_CBPR ? 1 : 0) | (vmcr & VMCR_EOIM ? 2 : 0);
    case ICC_SRE: return 7;
    case ICC_IGRPEN0: return vmcr & VMCR_ENG0 ? 1 : 0;
    case ICC_IGRPEN1: return vmcr & VMCR_ENG1 ? 1 : 0;
    case ICC_AP0R0: return core->state.arch.ich[ICH_AP0R0];
    case ICC_AP1R0: return core->state.arch.ich[ICH_AP1R0];
    }
    return 0;
}

/* False: not a register of this interface. */
bool interface_write(struct core *core, uint32_t reg, uint64_t value) {
    uint32_t intid = value & 0xffffff;
    switch (reg) {
    case ICC_EOIR1: end(core, intid, true); break;
    case ICC_EOIR0: end(core, intid, false); break;
    case ICC_DIR: end_split(core, intid); break;
    case ICC_PMR: set_field(core, 0xffull << VMCR_PMR_SHIFT, (value & PRIORITY_MASK) << VMCR_PMR_SHIFT); break;
    case ICC_BPR0: set_bpr(core, VMCR_BPR0_SHIFT, MINIMUM_BPR0, value); break;
    case ICC_BPR1:
        if (!(core->state.arch.ich[ICH_VMCR] & VMCR_CBPR)) set_bpr(core, VMCR_BPR1_SHIFT, MINIMUM_BPR1, value);
        break;
    case ICC_CTLR:
        set_field(core, VMCR_CBPR | VMCR_EOIM, (value & 1 ? VMCR_CBPR : 0) | (value & 2 ? VMCR_EOIM : 0));
        break;
    case ICC_IGRPEN0: set_field(core, VMCR_ENG0, value & 1 ? VMCR_ENG0 : 0); break;
    case ICC_IGRPEN1: set_field(core, VMCR_ENG1, value & 1 ? VMCR_ENG1 : 0); break;
    case ICC_AP0R0: core->state.arch.ich[ICH_AP0R0] = (uint32_t)value; interface_update(core); break;
    case ICC_AP1R0: core->state.arch.ich[ICH_AP1R0] = (uint32_t)value; interface_update(core); break;
    case ICC_SRE: break;
    default: return false;
    }
    return true;
}

/* GICv2: one interrupt space with two groups; the guest's GICC is the GICV frame of 2 pages. */
enum {
    GICV_CTLR = 0x00,
    GICV_PMR = 0x04,
    GICV_BPR = 0x08,
    GICV_IAR = 0x0c,
    GICV_EOIR = 0x10,
    GICV_RPR = 0x14,
    GICV_HPPIR = 0x18,
    GICV_ABPR = 0x1c,
    GICV_AIAR = 0x20,
    GICV_AEOIR = 0x24,
    GICV_AHPPIR = 0x28,
    GICV_APR0 = 0xd0,
    GICV_IIDR = 0xfc,
    GICV_DIR = 0x1000
};
#define GICV_CTLR_BITS (VMCR_ENG0 | VMCR_ENG1 | VMCR_ACKCTL | VMCR_FIQEN | VMCR_CBPR | VMCR_EOIM)
#define GIC400_IIDR 0x0202143bu

static bool highest_is_group1(struct core *core) {
    int index = highest_pending(core);
    return index >= 0 && core->state.arch.ich[index] & LR_GROUP1;
}

/* Whose group is the highest active priority. */
static bool running_group1(struct core *core) {
    uint32_t active0 = (uint32_t)core->state.arch.ich[ICH_AP0R0], active1 = (uint32_t)core->state.arch.ich[ICH_AP1R0];
    return active1 && (!active0 || __builtin_ctz(active1) < __builtin_ctz(active0));
}

/* An access to a frame does not end the block as a system register write does. */
static void look_soon(struct core *core) {
    if (FIELD(uint32_t, core->cpu, CS_INTERRUPT_REQUEST) || FIELD(uint8_t, core->cpu, CS_EXIT_REQUEST))
        slot_kick(core->slot, KICK_MAINTENANCE);
}

static uint32_t acknowledge_soon(struct core *core, bool group1) {
    uint32_t intid = acknowledge(core, group1);
    look_soon(core);
    return intid;
}

uint64_t gicv_read(void *uc, uint64_t offset, unsigned size, void *user) {
    (void)uc, (void)size;
    struct core *core = user;
    bool group1 = highest_is_group1(core), ackctl = core->state.arch.ich[ICH_VMCR] & VMCR_ACKCTL;
    switch (offset) {
    case GICV_CTLR: return core->state.arch.ich[ICH_VMCR] & GICV_CTLR_BITS;
    case GICV_PMR: return pmr(core);
    case GICV_BPR: return bpr0(core);
    case GICV_ABPR: return bpr1(core);
    case GICV_IAR:
        if (group1 && !ackctl) return signalled(core, highest_pending(core)) ? SPURIOUS_GROUP1 : SPURIOUS;
        return acknowledge_soon(core, group1);
    case GICV_AIAR: return acknowledge_soon(core, true);
    case GICV_RPR: return running_priority(core) == IDLE ? 0xff : running_priority(core);
    case GICV_HPPIR: return group1 && !ackctl ? SPURIOUS_GROUP1 : highest(core, group1);
    case GICV_AHPPIR: return highest(core, true);
    case GICV_APR0: return core->state.arch.ich[ICH_AP0R0] | core->state.arch.ich[ICH_AP1R0];
    case GICV_IIDR: return GIC400_IIDR;
    }
    return 0;
}

void gicv_write(void *uc, uint64_t offset, unsigned size, uint64_t value, void *user) {
    (void)uc, (void)size;
    struct core *core = user;
    uint32_t intid = value & 0x1fff; /* with the source CPU of an SGI, as it is in the list register */
    switch (offset) {
    case GICV_CTLR: set_field(core, GICV_CTLR_BITS, value); break;
    case GICV_PMR: set_field(core, 0xffull << VMCR_PMR_SHIFT, (value & PRIORITY_MASK) << VMCR_PMR_SHIFT); break;
    case GICV_BPR: set_bpr(core, VMCR_BPR0_SHIFT, MINIMUM_BPR0, value); break;
    case GICV_ABPR: set_bpr(core, VMCR_BPR1_SHIFT, MINIMUM_BPR1, value); break;
    case GICV_EOIR: end(core, intid, running_group1(core)); break;
    case GICV_AEOIR: end(core, intid, true); break;
    case GICV_APR0:
        core->state.arch.ich[ICH_AP0R0] = (uint32_t)value;
        core->state.arch.ich[ICH_AP1R0] = 0;
        interface_update(core);
        break;
    case GICV_DIR: end_split(core, intid); break;
    }
    look_soon(core);
}
