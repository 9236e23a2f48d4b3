/* The library below: every symbol by name, and a refusal of any library that the offsets were not made for. */
#define _GNU_SOURCE
#include "library.h"

#include <dlfcn.h>

struct unicorn unicorn;
static void *library;

/* PyErr_Format knows 64-bit hexadecimal numbers from Python 3.12 on only. */
void python_error(PyObject *type, const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    PyErr_SetString(type, text);
}

void *unicorn_symbol(const char *name) {
    void *address = dlsym(library, name);
    if (!address) PyErr_Format(PyExc_ImportError, "libunicorn.so.2 has no symbol %s: install unicorn==2.1.4", name);
    return address;
}

static const struct {
    void **where;
    const char *name;
} symbols[] = {
    {(void **)&unicorn.open, "uc_open"},
    {(void **)&unicorn.close, "uc_close"},
    {(void **)&unicorn.ctl, "uc_ctl"},
    {(void **)&unicorn.reg_write, "uc_reg_write"},
    {(void **)&unicorn.reg_read, "uc_reg_read"},
    {(void **)&unicorn.hook_add, "uc_hook_add"},
    {(void **)&unicorn.mem_map_ptr, "uc_mem_map_ptr"},
    {(void **)&unicorn.mmio_map, "uc_mmio_map"},
    {(void **)&unicorn.context_alloc, "uc_context_alloc"},
    {(void **)&unicorn.context_save, "uc_context_save"},
    {(void **)&unicorn.context_restore, "uc_context_restore"},
    {(void **)&unicorn.free, "uc_free"},
    {(void **)&unicorn.strerror, "uc_strerror"},
    {(void **)&unicorn.cpu_exec, "cpu_exec_aarch64"},
    {(void **)&unicorn.do_interrupt, "arm_cpu_do_interrupt_aarch64"},
    {(void **)&unicorn.exec_interrupt, "arm_cpu_exec_interrupt_aarch64"},
    {(void **)&unicorn.loop_exit, "cpu_loop_exit_aarch64"},
    {(void **)&unicorn.loop_exit_restore, "cpu_loop_exit_restore_aarch64"},
    {(void **)&unicorn.restore_state, "cpu_restore_state_aarch64"},
    {(void **)&unicorn.tb_lookup, "tcg_tb_lookup_aarch64"},
    {(void **)&unicorn.tlb_fill, "arm_cpu_tlb_fill_aarch64"},
    {(void **)&unicorn.get_phys_addr, "get_phys_addr_aarch64"},
    {(void **)&unicorn.set_page, "tlb_set_page_with_attrs_aarch64"},
    {(void **)&unicorn.page_addr_code, "get_page_addr_code_aarch64"},
    {(void **)&unicorn.find_memory, "find_memory_mapping_aarch64"},
    {(void **)&unicorn.load_table, "address_space_ldq_le_aarch64"},
    {(void **)&unicorn.load_code, "cpu_ldl_code_aarch64"},
    {(void **)&unicorn.load_half, "cpu_lduw_code_aarch64"},
    {(void **)&unicorn.set_dirty, "tlb_set_dirty_aarch64"},
    {(void **)&unicorn.unprotect_code, "tlb_unprotect_code_aarch64"},
    {(void **)&unicorn.store_to_code, "tb_invalidate_phys_page_fast_aarch64"},
    {(void **)&unicorn.reset_dirty, "tlb_reset_dirty_by_vaddr_aarch64"},
    {(void **)&unicorn.tlb_flush, "tlb_flush_aarch64"},
    {(void **)&unicorn.tlb_flush_mmuidx, "tlb_flush_by_mmuidx_aarch64"},
    {(void **)&unicorn.tlb_flush_page_mmuidx, "tlb_flush_page_by_mmuidx_aarch64"},
    {(void **)&unicorn.tlb_flush_mmuidx_synced, "tlb_flush_by_mmuidx_all_cpus_synced_aarch64"},
    {(void **)&unicorn.tlb_flush_page_mmuidx_synced, "tlb_flush_page_by_mmuidx_all_cpus_synced_aarch64"},
    {(void **)&unicorn.tb_flush, "tb_flush_aarch64"},
    {(void **)&unicorn.tb_invalidate, "tb_invalidate_phys_range_aarch64"},
    {(void **)&unicorn.rebuild_hflags, "arm_rebuild_hflags_aarch64"},
    {(void **)&unicorn.get_reginfo, "get_arm_cp_reginfo_aarch64"},
    {(void **)&unicorn.define_reg, "define_one_arm_cp_reg_with_opaque_aarch64"},
    {(void **)&unicorn.check_exit_request, "helper_check_exit_request_aarch64"},
    {(void **)&unicorn.check_access, "helper_access_check_cp_reg_aarch64"},
    {(void **)&unicorn.raise_exception, "raise_exception_aarch64"},
    {(void **)&unicorn.breakpoint, "helper_exception_bkpt_insn_aarch64"},
    {(void **)&unicorn.sync_32_to_64, "aarch64_sync_32_to_64_aarch64"},
    {(void **)&unicorn.sync_64_to_32, "aarch64_sync_64_to_32_aarch64"},
    {(void **)&unicorn.read_cpsr, "cpsr_read_aarch64"},
    {(void **)&unicorn.rebuild_hflags_a32, "helper_rebuild_hflags_a32_aarch64"},
    {(void **)&unicorn.rebuild_hflags_a64, "helper_rebuild_hflags_a64_aarch64"},
    {(void **)&unicorn.unaligned_access, "arm_cpu_do_unaligned_access_aarch64"},
    {(void **)&unicorn.dc_zva, "helper_dc_zva_aarch64"},
    {(void **)&unicorn.ld_i64, "tcg_gen_qemu_ld_i64_aarch64"},
    {(void **)&unicorn.ret_ldub, "helper_ret_ldub_mmu_aarch64"},
    {(void **)&unicorn.le_lduw, "helper_le_lduw_mmu_aarch64"},
    {(void **)&unicorn.le_ldul, "helper_le_ldul_mmu_aarch64"},
    {(void **)&unicorn.le_ldq, "helper_le_ldq_mmu_aarch64"},
    {(void **)&unicorn.be_lduw, "helper_be_lduw_mmu_aarch64"},
    {(void **)&unicorn.be_ldul, "helper_be_ldul_mmu_aarch64"},
    {(void **)&unicorn.be_ldq, "helper_be_ldq_mmu_aarch64"},
    {(void **)&unicorn.ret_stb, "helper_ret_stb_mmu_aarch64"},
    {(void **)&unicorn.le_stw, "helper_le_stw_mmu_aarch64"},
    {(void **)&unicorn.le_stl, "helper_le_stl_mmu_aarch64"},
    {(void **)&unicorn.le_stq, "helper_le_stq_mmu_aarch64"},
    {(void **)&unicorn.be_stw, "helper_be_stw_mmu_aarch64"},
    {(void **)&unicorn.be_stl, "helper_be_stl_mmu_aarch64"},
    {(void **)&unicorn.be_stq, "helper_be_stq_mmu_aarch64"},
    {(void **)&unicorn.exception_internal, "helper_exception_internal_aarch64"},
    {(void **)&unicorn.check_breakpoints, "helper_check_breakpoints_aarch64"},
    {(void **)&unicorn.exception_return, "helper_exception_return_aarch64"},
    {(void **)&unicorn.generate, "gen_intermediate_code_aarch64"},
    {(void **)&unicorn.gen_code, "tb_gen_code_aarch64"},
    {(void **)&unicorn.func_start, "tcg_func_start_aarch64"},
    {(void **)&unicorn.call, "tcg_gen_callN_aarch64"},
    {(void **)&unicorn.emit_op, "tcg_emit_op_aarch64"},
    {(void **)&unicorn.temp_new, "tcg_temp_new_internal_aarch64"},
    {(void **)&unicorn.temp_free, "tcg_temp_free_internal_aarch64"},
    {(void **)&unicorn.const_i64, "tcg_const_i64_aarch64"},
    {(void **)&unicorn.const_i32, "tcg_const_i32_aarch64"},
    {(void **)&unicorn.new_label, "gen_new_label_aarch64"},
    {(void **)&unicorn.brcond_i32, "tcg_gen_brcond_i32_aarch64"},
    {(void **)&unicorn.mb, "tcg_gen_mb_aarch64"},
    {(void **)&unicorn.ld_i32, "tcg_gen_qemu_ld_i32_aarch64"},
    {(void **)&unicorn.st_i32, "tcg_gen_qemu_st_i32_aarch64"},
    {(void **)&unicorn.st_i64, "tcg_gen_qemu_st_i64_aarch64"},
    {(void **)&unicorn.cmpxchg_i32, "tcg_gen_atomic_cmpxchg_i32_aarch64"},
    {(void **)&unicorn.cmpxchg_i64, "tcg_gen_atomic_cmpxchg_i64_aarch64"},
};

int unicorn_load(const char *path) {
    if (library) return 0;
    library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (!library) {
        PyErr_Format(PyExc_ImportError, "%s cannot be loaded: %s", path, dlerror());
        return -1;
    }
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        if (!(*symbols[i].where = unicorn_symbol(symbols[i].name))) return -1;
    return 0;
}
