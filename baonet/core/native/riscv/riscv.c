/* The names of the library's functions for RISC-V. */
#include "riscv/riscv.h"

struct riscv riscv;

#define FLOAT(name) {(void **)&riscv.name, "helper_" #name "_riscv64"}

const struct symbol arch_symbols[] = {
    {(void **)&riscv.exec_interrupt, "riscv_cpu_exec_interrupt_riscv64"},
    {(void **)&riscv.tlb_fill, "riscv_cpu_tlb_fill_riscv64"},
    {(void **)&riscv.mmu_index, "riscv_cpu_mmu_index_riscv64"},
    {(void **)&riscv.csrrw, "riscv_csrrw_riscv64"},
    {(void **)&riscv.raise_here, "helper_raise_exception_riscv64"},
    {(void **)&riscv.raise, "riscv_raise_exception_riscv64"},
    {(void **)&riscv.load_half, "cpu_lduw_code_riscv64"},
    {(void **)&riscv.mb, "tcg_gen_mb_riscv64"},
    {(void **)&riscv.ld_i64, "tcg_gen_qemu_ld_i64_riscv64"},
    {(void **)&riscv.st_i64, "tcg_gen_qemu_st_i64_riscv64"},
#define ATOMIC_OPERATION(name) {(void **)&riscv.gen_##name, "tcg_gen_atomic_" #name "_i64_riscv64"},
    ATOMIC_OPERATIONS(ATOMIC_OPERATION)
#undef ATOMIC_OPERATION
    {(void **)&riscv.gen_cmpxchg, "tcg_gen_atomic_cmpxchg_i64_riscv64"},
    {(void **)&riscv.ret_ldub, "helper_ret_ldub_mmu_riscv64"},
    {(void **)&riscv.le_lduw, "helper_le_lduw_mmu_riscv64"},
    {(void **)&riscv.le_ldul, "helper_le_ldul_mmu_riscv64"},
    {(void **)&riscv.le_ldq, "helper_le_ldq_mmu_riscv64"},
    {(void **)&riscv.ret_stb, "helper_ret_stb_mmu_riscv64"},
    {(void **)&riscv.le_stw, "helper_le_stw_mmu_riscv64"},
    {(void **)&riscv.le_stl, "helper_le_stl_mmu_riscv64"},
    {(void **)&riscv.le_stq, "helper_le_stq_mmu_riscv64"},
    FLOAT(fsqrt_s), FLOAT(fcvt_s_w), FLOAT(fcvt_s_wu), FLOAT(fcvt_s_l), FLOAT(fcvt_s_lu),
    FLOAT(fcvt_s_d), FLOAT(fcvt_w_s), FLOAT(fcvt_wu_s), FLOAT(fcvt_l_s), FLOAT(fcvt_lu_s),
    FLOAT(fcvt_d_s), FLOAT(fadd_s), FLOAT(fsub_s), FLOAT(fmul_s), FLOAT(fdiv_s),
    FLOAT(fmin_s), FLOAT(fmax_s), FLOAT(fmin_d), FLOAT(fmax_d), FLOAT(feq_s),
    FLOAT(flt_s), FLOAT(fle_s), FLOAT(fmadd_s), FLOAT(fmsub_s), FLOAT(fnmadd_s),
    FLOAT(fnmsub_s), FLOAT(fmadd_d), FLOAT(fmsub_d), FLOAT(fnmadd_d), FLOAT(fnmsub_d),
    FLOAT(fclass_s), FLOAT(fsqrt_d), FLOAT(fadd_d), FLOAT(fsub_d), FLOAT(fmul_d), FLOAT(fdiv_d),
    {NULL, NULL},
};
