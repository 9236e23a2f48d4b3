/*
 * The interrupt of a notification, in the hypervisor's place (errands.h): a message to the hart's file, of which the controller knows
 * nothing any more; or, with a PLIC, the hart's line, until the guest claims the source. Then it is active until the guest
 * completes it. Meanwhile nothing else is signalled to the hart.
 */
#include "architecture.h"
#include "lent.h"
#include "riscv/encoding.h"
#include "riscv/file.h"
#include "riscv/interrupts.h"
#include "riscv/registers.h"
#include "trace.h"

#define REGISTER_SIZE 4

static const uint64_t line = SIP(INTERRUPT_EXTERNAL);

/* `place`: the identity of a message; 0: by the line, and `value` is the address of the register for claim and completion. */
bool arch_list(struct core *core, unsigned interrupt, unsigned place, uint64_t value) {
    (void)value;
    if (place) {
        file_inject(core, place);
        return false;
    }
    trace(core, TRACE_PENDING, interrupt, 0, 0);
    trace(core, TRACE_DELIVERED, interrupt, 0, 0);
    core->state.arch.lines |= line;
    interrupts_update(core);
    return true;
}

/* It is for no exit that it ends. */
bool arch_ends(struct core *core, enum exit_reason reason, unsigned place) {
    (void)core, (void)reason, (void)place;
    return false;
}

static bool is_register(const struct expected *expected, uint64_t ipa, unsigned size) {
    return expected->possible && !expected->place && ipa == expected->value && size == REGISTER_SIZE;
}

bool arch_loads_lent(struct core *core, uint64_t ipa, unsigned size, uint64_t *value) {
    const struct errands *errands = core->errands;
    if (!is_register(&errands->expected, ipa, size)) return false;
    bool pending = errands->listed && core->state.arch.lines & line;
    *value = pending ? errands->expected.interrupt : 0;
    if (!pending) return true;
    core->state.arch.lines &= ~line;
    trace(core, TRACE_ACKNOWLEDGED, errands->expected.interrupt, 0, 0);
    return true;
}

bool arch_stores_lent(struct core *core, uint64_t ipa, unsigned size, uint64_t value) {
    struct errands *errands = core->errands;
    if (!is_register(&errands->expected, ipa, size)) return false;
    bool active = errands->listed && !(core->state.arch.lines & line);
    if (!active || value != errands->expected.interrupt) return false;
    errands->listed = false;
    errands->heard++;
    trace(core, TRACE_ENDED, errands->expected.interrupt, 0, 0);
    return true;
}
