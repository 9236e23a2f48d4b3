/*
 * The wheel compiles exchange and every minimum and maximum as a plain load and store, and gets signed byte, half-word
 * and word minimum and maximum wrong even on one CPU. Here they are loops over its compare-and-exchange helpers, which
 * are locked. The *_mmu form takes the return address that names the guest instruction if the access faults.
 */
#include "library.h"

static uint32_t (*cmpxchgb)(void *, uint64_t, uint32_t, uint32_t, uint32_t, uintptr_t);
static uint32_t (*cmpxchgw)(void *, uint64_t, uint32_t, uint32_t, uint32_t, uintptr_t);
static uint32_t (*cmpxchgl)(void *, uint64_t, uint32_t, uint32_t, uint32_t, uintptr_t);
static uint64_t (*cmpxchgq)(void *, uint64_t, uint64_t, uint64_t, uint32_t, uintptr_t);

const struct symbol atomic_symbols[] = {
    {(void **)&cmpxchgb, "helper_atomic_cmpxchgb_mmu" ARCH_SUFFIX},
    {(void **)&cmpxchgw, "helper_atomic_cmpxchgw_le_mmu" ARCH_SUFFIX},
    {(void **)&cmpxchgl, "helper_atomic_cmpxchgl_le_mmu" ARCH_SUFFIX},
    {(void **)&cmpxchgq, "helper_atomic_cmpxchgq_le_mmu" ARCH_SUFFIX},
    {NULL, NULL},
};

#define RETURN_ADDRESS ((uintptr_t)__builtin_return_address(0))

#define FETCH(operation, size, suffix, abi, type, expression)                                                          \
    EXPORT abi ARCH(helper_atomic_##operation##size##suffix)(void *env, uint64_t address, abi operand, uint32_t memop) { \
        uintptr_t from = RETURN_ADDRESS;                                                                               \
        type value = (type)operand, old = 0;                                                                           \
        for (;;) {                                                                                                     \
            type seen = (type)cmpxchg##size(env, address, old, (type)(expression), memop, from);                       \
            if (seen == old) return (abi)old;                                                                          \
            old = seen;                                                                                                \
        }                                                                                                              \
    }
#define FETCH_ALL(size, suffix, abi, unsigned_type, signed_type)                                                       \
    FETCH(xchg, size, suffix, abi, unsigned_type, value)                                                               \
    FETCH(fetch_umin, size, suffix, abi, unsigned_type, old < value ? old : value)                                     \
    FETCH(fetch_umax, size, suffix, abi, unsigned_type, old > value ? old : value)                                     \
    FETCH(fetch_smin, size, suffix, abi, unsigned_type, (signed_type)old < (signed_type)value ? old : value)           \
    FETCH(fetch_smax, size, suffix, abi, unsigned_type, (signed_type)old > (signed_type)value ? old : value)

FETCH_ALL(b, , uint32_t, uint8_t, int8_t)
FETCH_ALL(w, _le, uint32_t, uint16_t, int16_t)
FETCH_ALL(l, _le, uint32_t, uint32_t, int32_t)
FETCH_ALL(q, _le, uint64_t, uint64_t, int64_t)
