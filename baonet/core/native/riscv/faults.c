/* Guest page faults, which Bao has, and access faults, which firmware hands on. */
#include "riscv/faults.h"

#include "count.h"
#include "leave.h"
#include "riscv/registers.h"
#include "riscv/walk.h"

/* By the kind of access: a load, a store, a fetch. */
static const uint64_t guest_page_faults[] = {CAUSE_LOAD_GUEST_PAGE, CAUSE_STORE_GUEST_PAGE, CAUSE_FETCH_GUEST_PAGE};
static const uint64_t access_faults[] = {CAUSE_LOAD_ACCESS, CAUSE_STORE_ACCESS, CAUSE_FETCH_ACCESS};

static void describe(struct core *core, uint64_t cause, uint64_t va, uint64_t ipa, bool implicit) {
    uint64_t *exit = core->state.exit;
    exit[EXIT_CAUSE] = cause;
    exit[EXIT_TVAL] = va;
    exit[EXIT_IPA] = ipa;
    exit[EXIT_IMPLICIT] = implicit;
    exit[EXIT_INSTRUCTION] = walk_instruction(core, core_pc(core));
}

void fault_describe_guest_page(struct core *core, uint64_t va, uint64_t ipa, int access, bool implicit) {
    describe(core, guest_page_faults[access], va, ipa, implicit);
}

void fault_access(struct core *core, uint64_t va, int access, uintptr_t from) {
    if (from) ARCH(cpu_restore_state)(core->cpu, from, true);
    describe(core, access_faults[access], va, 0, false);
    core_leave_here(core, EXIT_TRAP);
}
