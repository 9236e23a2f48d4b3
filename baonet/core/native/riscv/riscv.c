/* The names of the library's functions for RISC-V. */
#include "riscv/riscv.h"

struct riscv riscv;

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
    {(void **)&riscv.ret_ldub, "helper_ret_ldub_mmu_riscv64"},
    {(void **)&riscv.le_lduw, "helper_le_lduw_mmu_riscv64"},
    {(void **)&riscv.le_ldul, "helper_le_ldul_mmu_riscv64"},
    {(void **)&riscv.le_ldq, "helper_le_ldq_mmu_riscv64"},
    {(void **)&riscv.ret_stb, "helper_ret_stb_mmu_riscv64"},
    {(void **)&riscv.le_stw, "helper_le_stw_mmu_riscv64"},
    {(void **)&riscv.le_stl, "helper_le_stl_mmu_riscv64"},
    {(void **)&riscv.le_stq, "helper_le_stq_mmu_riscv64"},
    {NULL, NULL},
};
