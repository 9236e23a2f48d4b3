/* The supervisor's registers, and their bits (privileged architecture, 12). */
#ifndef BAONET_RISCV_REGISTERS_H
#define BAONET_RISCV_REGISTERS_H

#include "core.h"

#define ENV64(core, offset) FIELD(uint64_t, (core)->env, offset)

/* sstatus */
#define STATUS_SIE 0x2u
#define STATUS_SPIE 0x20u
#define STATUS_SPP 0x100u
#define STATUS_FS 0x6000u
#define STATUS_SUM 0x40000u
#define STATUS_MXR 0x80000u
#define STATUS_WRITABLE (uint64_t)(STATUS_SIE | STATUS_SPIE | STATUS_SPP | STATUS_FS | STATUS_SUM | STATUS_MXR)
#define STATUS_READ_ONLY 0x8000000200018000u /* SD, UXL 64 bits, XS dirty */

/* sip, sie */
#define INTERRUPT_SOFTWARE 1u
#define INTERRUPT_TIMER 5u
#define INTERRUPT_EXTERNAL 9u
#define SIP(interrupt) (1ull << (interrupt))
#define SIP_ALL (SIP(INTERRUPT_SOFTWARE) | SIP(INTERRUPT_TIMER) | SIP(INTERRUPT_EXTERNAL))

/* scause */
enum {
    CAUSE_FETCH_ACCESS = 1,
    CAUSE_ILLEGAL = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_STORE_ACCESS = 7,
    CAUSE_ECALL = 8, /* from U; the library has it of all */
    CAUSE_ECALL_FROM_VS = 10,
    CAUSE_FETCH_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15,
    CAUSE_FETCH_GUEST_PAGE = 20,
    CAUSE_LOAD_GUEST_PAGE = 21,
    CAUSE_VIRTUAL = 22,
    CAUSE_STORE_GUEST_PAGE = 23,
};

/* senvcfg */
#define ENVCFG_CBIE 0x30u
#define ENVCFG_CBCFE 0x40u
#define ENVCFG_CBZE 0x80u
#define ENVCFG_WRITABLE 0xf1u

/* What interrupts are called in records and events: baonet.hyp.riscv.cpu. */
#define NUMBER_LOCAL 1024u
#define NUMBER_MESSAGES 2048u

static inline bool in_user_mode(const struct core *core) { return ENV64(core, ENV_PRIV) == PRIV_U; }

/* Of loads, stores and fetches: U, S, S with SUM. */
static inline int mmu_index(const struct core *core) {
    uint64_t mode = ENV64(core, ENV_PRIV);
    return mode == PRIV_S && ENV64(core, ENV_MSTATUS) & STATUS_SUM ? MMU_S_SUM : (int)mode;
}

#endif
