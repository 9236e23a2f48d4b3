/*
 * Pages of guest interrupt files (AIA 3.5): a store of 32 bits to seteipnum_le makes an identity pending, all else is ignored,
 * and loads find 0. A store to the file of another hart is carried there by the hypervisor's messages; on hardware it does not
 * enter the hypervisor, so it costs nothing and is not told as an access.
 */
#include "riscv/imsic.h"

#include "architecture.h"
#include "count.h"
#include "emulate.h"
#include "leave.h"
#include "rest.h"
#include "riscv/encoding.h"
#include "riscv/faults.h"
#include "riscv/file.h"
#include "riscv/interrupts.h"
#include "riscv/registers.h"
#include "riscv/walk.h"
#include "trace.h"

#define SETEIPNUM_LE 0u

static void carry(struct core *core, uint64_t hart, uint64_t ipa, uint64_t identity) {
    if (hart != core->arch.hart) {
        emulate_pass(core, ipa, sizeof(uint32_t), identity);
        return;
    }
    if (identity && identity <= core->arch.identities) trace(core, TRACE_RAISED, NUMBER_MESSAGES + (uint32_t)identity, FROM_CPU, 0);
    file_inject(core, identity);
    interrupts_update(core);
}

void imsic_access(struct core *core, uint64_t va, uint64_t ipa, uintptr_t from) {
    uint64_t offset = ipa - core->arch.files, hart = offset / PAGE_SIZE;
    if (hart >= core->arch.files_of_harts) return;
    if (core->scratch.silent && hart != core->arch.hart) {
        core->scratch.need = (struct need){0};
        rest_leave(core, from);
    }
    ARCH(cpu_restore_state)(core->cpu, from, true);
    struct plain_access access;
    bool plain = encoding_plain_access(walk_instruction(core, core_pc(core)), &access);
    if (!plain || access.size != sizeof(uint32_t) || offset % sizeof(uint32_t))
        fault_access(core, va, plain && !access.store ? MMU_DATA_LOAD : MMU_DATA_STORE, 0);
    uint64_t *reg = &core_x(core)[access.reg];
    if (!access.store)
        *reg = 0;
    else if (offset % PAGE_SIZE == SETEIPNUM_LE)
        carry(core, hart, ipa, access.reg ? (uint32_t)*reg : 0);
    emulate_retire(core, access.length, 0);
}
