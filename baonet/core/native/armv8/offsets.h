/* As layout.h, of what is Arm's in the library: its CPU, its registers, its exceptions. */
#ifndef BAONET_ARMV8_OFFSETS_H
#define BAONET_ARMV8_OFFSETS_H

/* TCGContext */
#define TCG_TABLE 43192 /* tb_ctx.htable.map */

/* ARMCPU */
#define CPU_TLB_VICTIMS 33296 /* neg.tlb.d[0].vtable */
#define TLB_WINDOW_BEGIN -32 /* neg.tlb.d[0].window_begin_ns, from vtable */
#define CPU_TLB_FAST 41600 /* neg.tlb.f */
#define CPU_ENV 41808
#define CPU_CP_REGS 54544
#define CPU_ID_AA64PFR0 54752
#define CPU_ID_AA64MMFR0 54768
#define CPU_ID_PFR1 54832

/* CPUARMState */
#define ENV_REGS 0
#define ENV_REGISTERS 64 /* xregs */
#define ENV_PC 320
#define ENV_PSTATE 328
#define ENV_AARCH64 332
#define ENV_SPSR_EL1 360 /* banked_spsr[BANK_SVC] */
#define ENV_HFLAGS 336
#define ENV_UNCACHED_CPSR 340
#define ENV_CF 520
#define ENV_VF 524
#define ENV_NF 528
#define ENV_ZF 532
#define ENV_THUMB 544
#define ENV_BTYPE 552
#define ENV_DAIF 560
#define ENV_ELR_EL1 576
#define ENV_SP_EL0 600
#define ENV_SP_EL1 608
#define ENV_SCTLR_EL1 680
#define ENV_CPACR_EL1 704
#define ENV_TTBR0_EL1 776
#define ENV_TTBR1_EL1 808
#define ENV_TCR_EL1 856
#define ENV_SCR_EL3 960
#define ENV_HCR_EL2 952
#define ENV_ESR_EL1 992
#define ENV_FAR_EL1 1056
#define ENV_MAIR_EL1 1192
#define ENV_VBAR_EL1 1224
#define ENV_CONTEXTIDR_EL1 1272
#define ENV_CNTFRQ 1360
#define ENV_DBGBVR 1512
#define ENV_DBGBCR 1640
#define ENV_DBGWVR 1768
#define ENV_DBGWCR 1896
#define ENV_MDSCR_EL1 2024
#define ENV_OSLSR_EL1 2032
#define ENV_CYCLES_DELTA 2064 /* cp15.c15_ccnt_delta */
#define ENV_VPIDR_EL2 2824
#define ENV_VMPIDR_EL2 2832
#define ENV_EXCEPTION_SYNDROME 3024
#define ENV_EXCEPTION_VADDRESS 3032
#define ENV_EXCEPTION_TARGET_EL 3040
#define ENV_KEPT 12336 /* end_reset_fields */
#define ENV_UC 12728

/* ARMMMUFaultInfo */
#define FAULT_INFO_SIZE 32
#define FAULT_TYPE 0
#define FAULT_LEVEL 16
#define FAULT_EXTERNAL 26

/* ARMCPRegInfo */
#define RI_SIZE 136
#define RI_NAME 0
#define RI_CP 8
#define RI_CRN 9
#define RI_CRM 10
#define RI_OP0 11
#define RI_OP1 12
#define RI_OP2 13
#define RI_STATE 16
#define RI_TYPE 20
#define RI_ACCESS 24
#define RI_RESET_VALUE 40
#define RI_FIELD_OFFSET 48
#define RI_ACCESSFN 72
#define RI_READFN 80
#define RI_WRITEFN 88

/* values */
#define TB_FLAG_AARCH64 0x80000000u
#define TB_FLAG_THUMB 0x100u
#define INSN_START_WORDS 3 /* of each instruction in a block's table: PC, IT bits, syndrome */
#define EXCP_UDEF 1
#define EXCP_SWI 2
#define EXCP_PREFETCH_ABORT 3
#define EXCP_DATA_ABORT 4
#define EXCP_HVC 11
#define EXCP_HYP_TRAP 12
#define EXCP_SMC 13
#define PSTATE_EL 0xcu
#define ARCH_PAGE_BITS_MIN 10
#define ARCH_MMU_INDEXES 4 /* E10_0, E20_0, E10_1, E10_1_PAN */
#define MMU_INDEX_EL0 0 /* E10_0 */
#define MMU_INDEX_EL1 2 /* E10_1 */
#define MMU_INDEX_A 0x10 /* ARM_MMU_IDX_A: a core's MMU index to the architectural one */
#define PSTATE_MODE 0xfu
#define PSTATE_MODE_EL0T 0u
#define PSTATE_MODE_EL1T 4u
#define PSTATE_MODE_EL1H 5u
#define CPSR_MODE 0x1fu
#define CPSR_MODE_USER 0x10u
#define PSTATE_IL (1u << 20)
#define PSTATE_SS (1u << 21)
#define FLAG_A64 (1u << 31) /* of hflags and of a block */
#define FLAG_MMU_INDEX_SHIFT 24
#define FLAG_STEP (1u << 30)
#define FLAG_BIG_ENDIAN (1u << 28) /* data */
#define SCTLR_M 1u
#define OSLSR_LOCKED 2u
#define BREAKPOINTS 6 /* ID_AA64DFR0_EL1 */
#define CONTEXT_BREAKPOINTS 2
#define WATCHPOINTS 4
#define CP_REG_ARM64_SYSREG_CP 0x13
#define ARM_CP_64BIT 0x4
#define ARM_CP_NO_RAW 0x80
#define ARM_CP_STATE_AA32 0
#define ARM_CP_STATE_AA64 1
#define CP_ACCESS_OK 0
#define CP_ACCESS_TRAP_UNCATEGORIZED 2
#define PL1_RW 0xfc
#define PL1_R 0xa8
#define PL1_W 0x54
#define PL0_R 0xaa
#define PL0_W 0x55

#endif
