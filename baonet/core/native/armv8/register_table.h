/* The library's table of AArch64 system registers: which there are, and what serves them. */
#ifndef BAONET_ARMV8_REGISTER_TABLE_H
#define BAONET_ARMV8_REGISTER_TABLE_H

#include "core.h"

#define SYSREG(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

/* The entry (ARMCPRegInfo) of a register by its SYSREG, NULL: none; and the SYSREG of an entry. */
void *register_find(struct core *core, uint32_t reg);
static inline uint32_t register_encoding(const void *ri) {
    return SYSREG(FIELD(uint8_t, ri, RI_OP0), FIELD(uint8_t, ri, RI_OP1), FIELD(uint8_t, ri, RI_CRN),
                  FIELD(uint8_t, ri, RI_CRM), FIELD(uint8_t, ri, RI_OP2));
}

/* readfn: uint64_t (void *env, const void *ri); writefn: void (void *env, const void *ri, uint64_t value); NULL: as it is.
 * False with a Python error: the library has no such register. */
bool register_redefine(struct core *core, uint32_t reg, void *readfn, void *writefn);

/* One that the library does not have; `access`: PL1_RW and the like. */
void register_define(struct core *core, const char *name, uint32_t reg, int access, void *readfn, void *writefn);

/* As a RI_ACCESSFN: with a check of the access, however simple, the PC is known at the write. */
int register_allowed(void *env, const void *ri, bool is_read);

#endif
