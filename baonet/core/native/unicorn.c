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

static const struct symbol symbols[] = {
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
    {(void **)&unicorn.cpu_exec, "cpu_exec" ARCH_SUFFIX},
    {(void **)&unicorn.loop_exit, "cpu_loop_exit" ARCH_SUFFIX},
    {(void **)&unicorn.loop_exit_restore, "cpu_loop_exit_restore" ARCH_SUFFIX},
    {(void **)&unicorn.restore_state, "cpu_restore_state" ARCH_SUFFIX},
    {(void **)&unicorn.restore_to_opc, "restore_state_to_opc" ARCH_SUFFIX},
    {(void **)&unicorn.tb_lookup, "tcg_tb_lookup" ARCH_SUFFIX},
    {(void **)&unicorn.set_page, "tlb_set_page_with_attrs" ARCH_SUFFIX},
    {(void **)&unicorn.page_addr_code, "get_page_addr_code" ARCH_SUFFIX},
    {(void **)&unicorn.find_memory, "find_memory_mapping" ARCH_SUFFIX},
    {(void **)&unicorn.set_dirty, "tlb_set_dirty" ARCH_SUFFIX},
    {(void **)&unicorn.unprotect_code, "tlb_unprotect_code" ARCH_SUFFIX},
    {(void **)&unicorn.store_to_code, "tb_invalidate_phys_page_fast" ARCH_SUFFIX},
    {(void **)&unicorn.reset_dirty, "tlb_reset_dirty_by_vaddr" ARCH_SUFFIX},
    {(void **)&unicorn.tlb_flush, "tlb_flush" ARCH_SUFFIX},
    {(void **)&unicorn.tlb_flush_mmuidx, "tlb_flush_by_mmuidx" ARCH_SUFFIX},
    {(void **)&unicorn.tlb_flush_page_mmuidx, "tlb_flush_page_by_mmuidx" ARCH_SUFFIX},
    {(void **)&unicorn.tlb_flush_mmuidx_synced, "tlb_flush_by_mmuidx_all_cpus_synced" ARCH_SUFFIX},
    {(void **)&unicorn.tlb_flush_page_mmuidx_synced, "tlb_flush_page_by_mmuidx_all_cpus_synced" ARCH_SUFFIX},
    {(void **)&unicorn.tb_flush, "tb_flush" ARCH_SUFFIX},
    {(void **)&unicorn.tb_invalidate, "tb_invalidate_phys_range" ARCH_SUFFIX},
    {(void **)&unicorn.check_exit_request, "helper_check_exit_request" ARCH_SUFFIX},
    {(void **)&unicorn.generate, "gen_intermediate_code" ARCH_SUFFIX},
    {(void **)&unicorn.gen_code, "tb_gen_code" ARCH_SUFFIX},
    {(void **)&unicorn.make_code, "tcg_gen_code" ARCH_SUFFIX},
    {(void **)&unicorn.prologue_init, "tcg_prologue_init" ARCH_SUFFIX},
    {(void **)&unicorn.func_start, "tcg_func_start" ARCH_SUFFIX},
    {(void **)&unicorn.call, "tcg_gen_callN" ARCH_SUFFIX},
    {(void **)&unicorn.emit_op, "tcg_emit_op" ARCH_SUFFIX},
    {(void **)&unicorn.temp_new, "tcg_temp_new_internal" ARCH_SUFFIX},
    {(void **)&unicorn.temp_free, "tcg_temp_free_internal" ARCH_SUFFIX},
    {(void **)&unicorn.const_i64, "tcg_const_i64" ARCH_SUFFIX},
    {(void **)&unicorn.const_i32, "tcg_const_i32" ARCH_SUFFIX},
    {(void **)&unicorn.new_label, "gen_new_label" ARCH_SUFFIX},
    {(void **)&unicorn.brcond_i32, "tcg_gen_brcond_i32" ARCH_SUFFIX},
    {(void **)&unicorn.brcond_i64, "tcg_gen_brcond_i64" ARCH_SUFFIX},
    {NULL, NULL},
};

static int find(const struct symbol *symbol) {
    for (; symbol->name; symbol++)
        if (!(*symbol->where = unicorn_symbol(symbol->name))) return -1;
    return 0;
}

int unicorn_load(const char *path) {
    if (library) return 0;
    library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (!library) {
        PyErr_Format(PyExc_ImportError, "%s cannot be loaded: %s", path, dlerror());
        return -1;
    }
    return find(symbols) || find(atomic_symbols) || find(softfloat_symbols) || find(arch_symbols) ? -1 : 0;
}
