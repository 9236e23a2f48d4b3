/* Entries of the library's table of AArch64 system registers. */
#include "armv8/register_table.h"
#include "armv8/arm.h"

void *register_find(struct core *core, uint32_t reg) {
    uint32_t key = 1u << 28 | CP_REG_ARM64_SYSREG_CP << 16 | reg;
    return arm.get_reginfo(FIELD(void *, core->cpu, CPU_CP_REGS), key);
}

bool register_redefine(struct core *core, uint32_t reg, void *readfn, void *writefn) {
    uint8_t *ri = register_find(core, reg);
    if (!ri) {
        python_error(PyExc_ImportError, "libunicorn.so.2 has no system register 0x%x: install unicorn==2.1.4", reg);
        return false;
    }
    if (readfn) FIELD(void *, ri, RI_READFN) = readfn;
    if (writefn) {
        FIELD(void *, ri, RI_WRITEFN) = writefn;
        FIELD(int32_t, ri, RI_TYPE) = ARM_CP_NO_RAW; /* it may have been a NOP */
    }
    return true;
}

void register_define(struct core *core, const char *name, uint32_t reg, int access, void *readfn, void *writefn) {
    uint8_t ri[RI_SIZE] __attribute__((aligned(8))) = {0};
    FIELD(const char *, ri, RI_NAME) = name;
    FIELD(uint8_t, ri, RI_CP) = CP_REG_ARM64_SYSREG_CP;
    FIELD(uint8_t, ri, RI_OP0) = reg >> 14;
    FIELD(uint8_t, ri, RI_OP1) = reg >> 11 & 7;
    FIELD(uint8_t, ri, RI_CRN) = reg >> 7 & 15;
    FIELD(uint8_t, ri, RI_CRM) = reg >> 3 & 15;
    FIELD(uint8_t, ri, RI_OP2) = reg & 7;
    FIELD(int32_t, ri, RI_STATE) = ARM_CP_STATE_AA64;
    FIELD(int32_t, ri, RI_TYPE) = ARM_CP_NO_RAW;
    FIELD(int32_t, ri, RI_ACCESS) = access;
    FIELD(void *, ri, RI_READFN) = readfn;
    FIELD(void *, ri, RI_WRITEFN) = writefn;
    arm.define_reg(core->cpu, ri, NULL);
}

int register_allowed(void *env, const void *ri, bool is_read) {
    (void)env, (void)ri, (void)is_read;
    return CP_ACCESS_OK;
}
