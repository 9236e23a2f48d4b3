/* The functions of the library that only its RISC-V CPUs have, or that are stood in front of for RISC-V alone. */
#ifndef BAONET_RISCV_RISCV_H
#define BAONET_RISCV_RISCV_H

#include "library.h"

extern struct riscv {
    bool (*exec_interrupt)(void *, int);
    bool (*tlb_fill)(void *, uint64_t, int, int, int, bool, uintptr_t);
    int (*mmu_index)(void *, bool);
    int (*csrrw)(void *, int, uint64_t *, uint64_t, uint64_t);
    void (*raise_here)(void *, uint32_t); /* helper_raise_exception */
    void (*raise)(void *, uint32_t, uintptr_t);
    uint32_t (*load_half)(void *, uint64_t);
    void (*mb)(void *, uint32_t);
    void (*ld_i64)(void *, void *, void *, uint64_t, uint32_t);
    void (*st_i64)(void *, void *, void *, uint64_t, uint32_t);
#define ATOMIC_OPERATIONS(X) \
    X(fetch_add) X(fetch_and) X(fetch_or) X(fetch_xor) X(fetch_smin) X(fetch_smax) X(fetch_umin) X(fetch_umax) X(xchg)
#define ATOMIC_OPERATION(name) void (*gen_##name)(void *, void *, void *, void *, uint64_t, uint32_t);
    ATOMIC_OPERATIONS(ATOMIC_OPERATION)
#undef ATOMIC_OPERATION
    void (*gen_cmpxchg)(void *, void *, void *, void *, void *, uint64_t, uint32_t);
    uint64_t (*ret_ldub)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*le_lduw)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*le_ldul)(void *, uint64_t, uint32_t, uintptr_t);
    uint64_t (*le_ldq)(void *, uint64_t, uint32_t, uintptr_t);
    void (*ret_stb)(void *, uint64_t, uint8_t, uint32_t, uintptr_t);
    void (*le_stw)(void *, uint64_t, uint16_t, uint32_t, uintptr_t);
    void (*le_stl)(void *, uint64_t, uint32_t, uint32_t, uintptr_t);
    void (*le_stq)(void *, uint64_t, uint64_t, uint32_t, uintptr_t);
    /* helper_*, of floating point */
    uint64_t (*fsqrt_s)(void *, uint64_t), (*fsqrt_d)(void *, uint64_t), (*fcvt_s_w)(void *, uint64_t),
        (*fcvt_s_wu)(void *, uint64_t), (*fcvt_s_l)(void *, uint64_t),
        (*fcvt_s_lu)(void *, uint64_t), (*fcvt_s_d)(void *, uint64_t),
        (*fcvt_w_s)(void *, uint64_t), (*fcvt_wu_s)(void *, uint64_t),
        (*fcvt_l_s)(void *, uint64_t), (*fcvt_lu_s)(void *, uint64_t),
        (*fcvt_d_s)(void *, uint64_t);
    uint64_t (*fadd_s)(void *, uint64_t, uint64_t), (*fsub_s)(void *, uint64_t, uint64_t),
        (*fmul_s)(void *, uint64_t, uint64_t), (*fdiv_s)(void *, uint64_t, uint64_t),
        (*fadd_d)(void *, uint64_t, uint64_t), (*fsub_d)(void *, uint64_t, uint64_t),
        (*fmul_d)(void *, uint64_t, uint64_t), (*fdiv_d)(void *, uint64_t, uint64_t),
        (*fmin_s)(void *, uint64_t, uint64_t), (*fmax_s)(void *, uint64_t, uint64_t),
        (*fmin_d)(void *, uint64_t, uint64_t), (*fmax_d)(void *, uint64_t, uint64_t),
        (*feq_s)(void *, uint64_t, uint64_t), (*flt_s)(void *, uint64_t, uint64_t),
        (*fle_s)(void *, uint64_t, uint64_t);
    uint64_t (*fmadd_s)(void *, uint64_t, uint64_t, uint64_t), (*fmsub_s)(void *, uint64_t, uint64_t, uint64_t),
        (*fnmadd_s)(void *, uint64_t, uint64_t, uint64_t), (*fnmsub_s)(void *, uint64_t, uint64_t, uint64_t),
        (*fmadd_d)(void *, uint64_t, uint64_t, uint64_t), (*fmsub_d)(void *, uint64_t, uint64_t, uint64_t),
        (*fnmadd_d)(void *, uint64_t, uint64_t, uint64_t), (*fnmsub_d)(void *, uint64_t, uint64_t, uint64_t);
    uint64_t (*fclass_s)(uint64_t);
} riscv;

#endif
