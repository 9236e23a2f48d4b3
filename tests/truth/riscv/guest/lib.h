#pragma once
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;
typedef long s64;
#define S_(x) #x
#define S(x) S_(x)
#define R(c) \
    ({ \
        u64 v_; \
        __asm__ volatile("csrr %0, " S(c) : "=r"(v_)::"memory"); \
        v_; \
    })
#define W(c, v) __asm__ volatile("csrw " S(c) ", %0" ::"r"((u64)(v)) : "memory")
#define SET(c, v) __asm__ volatile("csrs " S(c) ", %0" ::"r"((u64)(v)) : "memory")
#define CLR(c, v) __asm__ volatile("csrc " S(c) ", %0" ::"r"((u64)(v)) : "memory")
#define STIMECMP 0x14d
#define SISELECT 0x150
#define SIREG 0x151
#define STOPEI 0x15c
#define STOPI 0xdb0
#define SENVCFG 0x10a
static inline u64 r32(u64 a) {
    u64 v;
    __asm__ volatile("li %0,-23206\n lwu %0,0(%1)" : "=&r"(v) : "r"(a) : "memory");
    return v;
}
static inline u64 rs32(u64 a) {
    u64 v;
    __asm__ volatile("li %0,-23206\n lw %0,0(%1)" : "=&r"(v) : "r"(a) : "memory");
    return v;
}
static inline u64 r8(u64 a) {
    u64 v;
    __asm__ volatile("li %0,-23206\n lbu %0,0(%1)" : "=&r"(v) : "r"(a) : "memory");
    return v;
}
static inline u64 rs8(u64 a) {
    u64 v;
    __asm__ volatile("li %0,-23206\n lb %0,0(%1)" : "=&r"(v) : "r"(a) : "memory");
    return v;
}
static inline u64 r16(u64 a) {
    u64 v;
    __asm__ volatile("li %0,-23206\n lhu %0,0(%1)" : "=&r"(v) : "r"(a) : "memory");
    return v;
}
static inline u64 rs16(u64 a) {
    u64 v;
    __asm__ volatile("li %0,-23206\n lh %0,0(%1)" : "=&r"(v) : "r"(a) : "memory");
    return v;
}
static inline u64 r64(u64 a) {
    u64 v;
    __asm__ volatile("li %0,-23206\n ld %0,0(%1)" : "=&r"(v) : "r"(a) : "memory");
    return v;
}
static inline void w8(u64 a, u64 v) { __asm__ volatile("sb %0,0(%1)" ::"r"(v), "r"(a) : "memory"); }
static inline void w16(u64 a, u64 v) { __asm__ volatile("sh %0,0(%1)" ::"r"(v), "r"(a) : "memory"); }
static inline void w32(u64 a, u64 v) { __asm__ volatile("sw %0,0(%1)\n\tfence" ::"r"(v), "r"(a) : "memory"); }
static inline void w64(u64 a, u64 v) { __asm__ volatile("sd %0,0(%1)\n\tfence" ::"r"(v), "r"(a) : "memory"); }
// a register that a load leaves alone shows ffffffffffffa55a
#define UART 0x10000000UL
#define PLIC 0x0c000000UL
#define APLIC 0x0d000000UL
#define IMSIC 0x28000000UL
#define SHM0 0x70000000UL
#define SHM1 0x78000000UL
#define MS 10000UL
#define N_TIME 0x54494D45UL
#define N_IPI 0x735049UL
#define N_RFNC 0x52464E43UL
#define N_HSM 0x48534DUL
#define N_BAO 0x08000BA0UL
