/* The library below: its public API, the functions of its own that it exports, and access to what is in its structures. */
#ifndef BAONET_LIBRARY_H
#define BAONET_LIBRARY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch.h"
#include "layout.h"

extern struct unicorn {
    /* public API */
    int (*open)(int, int, void **);
    int (*close)(void *);
    int (*ctl)(void *, int, ...);
    int (*reg_write)(void *, int, const void *);
    int (*reg_read)(void *, int, void *);
    int (*hook_add)(void *, size_t *, int, void *, void *, uint64_t, uint64_t, ...);
    int (*mem_map_ptr)(void *, uint64_t, uint64_t, uint32_t, void *);
    int (*mmio_map)(void *, uint64_t, uint64_t, void *, void *, void *, void *);
    int (*context_alloc)(void *, void **);
    int (*context_save)(void *, void *);
    int (*context_restore)(void *, void *);
    int (*free)(void *);
    const char *(*strerror)(int);
    /* QEMU's own functions, as the wheel exports them */
    int (*cpu_exec)(void *, void *);
    void (*loop_exit)(void *);
    void (*loop_exit_restore)(void *, uintptr_t);
    bool (*restore_state)(void *, uintptr_t, bool);
    void (*restore_to_opc)(void *, const void *, uint64_t *);
    void *(*tb_lookup)(void *, uintptr_t);
    void *(*find_memory)(void *, uint64_t);
    void (*set_page)(void *, uint64_t, uint64_t, uint32_t, int, int, uint64_t);
    uint64_t (*page_addr_code)(void *, uint64_t);
    void (*set_dirty)(void *, uint64_t);
    void (*unprotect_code)(void *, uint64_t);
    void (*store_to_code)(void *, void *, uint64_t, int, uintptr_t);
    void (*reset_dirty)(void *, uint64_t, uint64_t);
    void (*tlb_flush)(void *);
    void (*tlb_flush_mmuidx)(void *, uint16_t);
    void (*tlb_flush_page_mmuidx)(void *, uint64_t, uint16_t);
    void (*tlb_flush_mmuidx_synced)(void *, uint16_t);
    void (*tlb_flush_page_mmuidx_synced)(void *, uint64_t, uint16_t);
    void (*tb_flush)(void *);
    void (*tb_invalidate)(void *, uint64_t, uint64_t);
    void (*check_exit_request)(void *, uint32_t);
    void (*generate)(void *, void *, int);
    void *(*gen_code)(void *, uint64_t, uint64_t, uint32_t, int);
    int (*make_code)(void *, void *);
    void (*prologue_init)(void *);
    void (*func_start)(void *);
    void (*call)(void *, void *, void *, int, void **);
    void *(*emit_op)(void *, int);
    void (*op2)(void *, int, uintptr_t, uintptr_t);
    void *(*temp_new)(void *, int, bool);
    void (*temp_free)(void *, void *);
    void *(*const_i64)(void *, int64_t);
    void *(*const_i32)(void *, int32_t);
    void *(*new_label)(void *);
    void (*brcond_i32)(void *, int, void *, void *, void *);
    void (*brcond_i64)(void *, int, void *, void *, void *);
} unicorn;
struct symbol {
    void **where;
    const char *name;
};
extern const struct symbol arch_symbols[]; /* those that only the architecture's own files need; the last has no name */
extern const struct symbol atomic_symbols[];
extern const struct symbol softfloat_symbols[];
int unicorn_load(const char *path);
void *unicorn_symbol(const char *name);
void python_error(PyObject *type, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define EXPORT __attribute__((visibility("default"))) /* of what stands in front of the library's own */
#define unlikely(x) __builtin_expect(!!(x), 0)

/* fields of Unicorn's structures, by the offsets of layout.h */
#define FIELD(type, base, offset) (*(type *)((uint8_t *)(base) + (offset)))

/*
 * While a block is translated: what has just been emitted counts for more than an operation. The library ends a block at 4000
 * operations, which is the same on all CPUs of a host, or halves it when its host code is over 64 KiB, which is not: a call
 * is longer where the code is far from the library. So what is long makes the first limit come before the second: an access,
 * some 70 bytes with what goes with it, and a call.
 */
#define LONG_OPERATION 3
static inline void library_weigh(void *tcg) { FIELD(int, tcg, TCG_NB_OPS) += LONG_OPERATION; }

/* What a bool's byte holds, which is more than 0 or 1 where it comes from outside. */
#define BYTE(flag) (*(const uint8_t *)&(flag))

#endif
