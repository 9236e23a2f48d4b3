/*
 * What the library has as an illegal instruction is a virtual one in VS or VU mode where a hypervisor, or the supervisor, could
 * have it (privileged architecture, 18.6.1). Bao delegates neither.
 */
#include "riscv/refusals.h"

#include "riscv/csr.h"
#include "riscv/encoding.h"
#include "riscv/registers.h"

#define IS_HFENCE(word) (((word) & 0xfe007fff) == 0x22000073 || ((word) & 0xfe007fff) == 0x62000073)

uint64_t refusal(const struct core *core, uint32_t instruction) {
    if (IS_CBO(instruction)) return CAUSE_VIRTUAL; /* senvcfg */
    if (OPCODE(instruction) != OPCODE_SYSTEM) return CAUSE_ILLEGAL;
    if (is_csr_instruction(instruction)) return csr_refusal(core, CSR(instruction), writes_csr(instruction));
    if (IS_HFENCE(instruction) || encoding_is_hypervisor_access(instruction)) return CAUSE_VIRTUAL;
    bool of_supervisor = instruction == SRET || instruction == WFI || IS_SFENCE_VMA(instruction);
    return of_supervisor && in_user_mode(core) ? CAUSE_VIRTUAL : CAUSE_ILLEGAL;
}
