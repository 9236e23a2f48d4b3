/* A PLIC (RISC-V Platform-Level Interrupt Controller Specification). A hart has two contexts, of M and of S mode. */
#include "guest.h"
#include "irqc.h"

#define PRIORITY(source) (PLIC_BASE + 4 * (source))
#define CONTEXT (2 * (uintptr_t)this_cpu() + 1)
#define ENABLE(source) (PLIC_BASE + 0x2000 + 0x80 * CONTEXT + (source) / 32 * 4)
#define THRESHOLD (PLIC_BASE + 0x200000 + 0x1000 * CONTEXT)
#define CLAIM (THRESHOLD + 4)

void plic_init_cpu(void) { write32(THRESHOLD, 0); }

void plic_enable(unsigned source) {
    write32(PRIORITY(source), 1);
    write32(ENABLE(source), read32(ENABLE(source)) | 1u << source % 32);
}

void plic_interrupt(void) {
    uint32_t source = read32(CLAIM);
    if (!source) return;
    on_interrupt(source);
    write32(CLAIM, source);
}
