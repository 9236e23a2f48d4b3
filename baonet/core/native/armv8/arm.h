/* The functions of the library that only its Arm CPUs have, or that are stood in front of for Arm alone. */
#ifndef BAONET_ARMV8_ARM_H
#define BAONET_ARMV8_ARM_H

#include "library.h"

extern struct arm {
    void (*do_interrupt)(void *);
    bool (*exec_interrupt)(void *, int);
    bool (*tlb_fill)(void *, uint64_t, int, int, int, bool, uintptr_t);
    bool (*get_phys_addr)(void *, uint64_t, int, int, uint64_t *, uint32_t *, int *, uint64_t *, void *, void *);
    uint64_t (*load_table)(void *, void *, uint64_t, uint32_t, uint32_t *);
    uint32_t (*load_code)(void *, uint64_t);
    uint32_t (*load_half)(void *, uint64_t);
    void (*rebuild_hflags)(void *);
    void *(*get_reginfo)(void *, uint32_t);
    void (*define_reg)(void *, void *, void *);
    void (*check_access)(void *, void *, uint32_t, uint32_t);
    void *get_register, *set_register, *get_register64, *set_register64; /* helpers */
    void (*raise_exception)(void *, uint32_t, uint32_t, uint32_t);
    void (*breakpoint)(void *, uint32_t);
    uint32_t (*sltos)(uint32_t, uint32_t, void *);
    uint32_t (*ultos)(uint32_t, uint32_t, void *);
    void (*sync_32_to_64)(void *);
    void (*sync_64_to_32)(void *);
    uint32_t (*read_cpsr)(void *);
    void (*rebuild_hflags_a32)(void *, int);
    void (*rebuild_hflags_a64)(void *, int);
    void (*unaligned_access)(void *, uint64_t, int, int, uintptr_t);
    void *(*probe_access)(void *, uint64_t, int, int, int, uintptr_t);
    void (*dc_zva)(void *, uint64_t);
    void (*ld_i64)(void *, void *, void *, uint64_t, uint32_t);
    uint64_t (*ret_ldub)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*le_lduw)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*le_ldul)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*le_ldq)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*be_lduw)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*be_ldul)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*be_ldq)(void *, uint64_t, uint32_t, uintptr_t);
    void (*ret_stb)(void *, uint64_t, uint8_t, uint32_t, uintptr_t);
    void (*le_stw)(void *, uint64_t, uint16_t, uint32_t, uintptr_t);
    void (*le_stl)(void *, uint64_t, uint32_t, uint32_t, uintptr_t);
    void (*le_stq)(void *, uint64_t, uint64_t, uint32_t, uintptr_t);
    void (*be_stw)(void *, uint64_t, uint16_t, uint32_t, uintptr_t);
    void (*be_stl)(void *, uint64_t, uint32_t, uint32_t, uintptr_t);
    void (*be_stq)(void *, uint64_t, uint64_t, uint32_t, uintptr_t);
    void (*exception_internal)(void *, uint32_t);
    void (*check_breakpoints)(void *);
    void (*update_breakpoints)(void *);
    void (*exception_return)(void *, uint64_t);
    void (*exchange_pair)(void *, uint64_t, uint64_t, uint64_t);
    void (*compare_and_swap_pair)(void *, uint32_t, uint64_t, uint64_t, uint64_t);
#define ATOMIC_OPERATIONS(X) \
    X(fetch_add) X(fetch_and) X(fetch_or) X(fetch_xor) X(fetch_smin) X(fetch_smax) X(fetch_umin) X(fetch_umax) X(xchg)
#define ATOMIC_OPERATION(name) void (*gen_##name)(void *, void *, void *, void *, uint64_t, uint32_t);
    ATOMIC_OPERATIONS(ATOMIC_OPERATION)
#undef ATOMIC_OPERATION
    void (*mb)(void *, uint32_t);
    void (*addi_i64)(void *, void *, void *, int64_t);
    void (*ld_i32)(void *, void *, void *, uint64_t, uint32_t);
    void (*st_i32)(void *, void *, void *, uint64_t, uint32_t);
    void (*st_i64)(void *, void *, void *, uint64_t, uint32_t);
    void (*cmpxchg_i32)(void *, void *, void *, void *, void *, uint64_t, uint32_t);
    void (*cmpxchg_i64)(void *, void *, void *, void *, void *, uint64_t, uint32_t);
} arm;

#endif
