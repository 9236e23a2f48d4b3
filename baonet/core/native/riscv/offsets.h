/* As layout.h, of what is RISC-V's in the library: its CPU, its registers, its exceptions. */
#ifndef BAONET_RISCV_OFFSETS_H
#define BAONET_RISCV_OFFSETS_H

/* struct uc_struct */
#define UC_STOP_INTERRUPT 224

/* TCGContext */
#define TCG_TABLE 35000 /* tb_ctx.htable.map */

/* RISCVCPU */
#define CPU_TLB_VICTIMS 33296 /* neg.tlb.d[0].vtable */
#define TLB_WINDOW_BEGIN -32  /* neg.tlb.d[0].window_begin_ns, from vtable */
#define CPU_TLB_FAST 36032    /* neg.tlb.f */
#define CPU_ENV 36112

/* CPURISCVState */
#define ENV_REGISTERS 0 /* gpr */
#define ENV_FPR 256
#define ENV_PC 512
#define ENV_LOAD_RES 520
#define ENV_FRM 536
#define ENV_BADADDR 544
#define ENV_PRIV_VER 560
#define ENV_MISA 568
#define ENV_PRIV 592
#define ENV_MSTATUS 624
#define ENV_MIE 648
#define ENV_SATP 672
#define ENV_STVAL 680
#define ENV_STVEC 704
#define ENV_SEPC 712
#define ENV_SCAUSE 720
#define ENV_SCOUNTEREN 952
#define ENV_SSCRATCH 968
#define ENV_KEPT 1528 /* rdtime_fn */
#define ENV_FLOAT_STATUS 1537 /* fp_status, and */
#define ENV_FLAGS 1539 /* fp_status.float_exception_flags, behind what is kept */
#define ENV_UC 1560

/* values */
#define INSN_START_WORDS 1 /* of each instruction in a block's table: PC */
#define ARCH_PAGE_BITS_MIN 12
#define ARCH_MMU_INDEXES 3 /* U, S, S that may touch user pages (SUM) */
#define MMU_U 0
#define MMU_S 1
#define MMU_S_SUM 2
#define PRIV_U 0
#define PRIV_S 1
#define PROT_READ_BIT 1
#define TB_FLAG_MMU_INDEX 3u

#endif
