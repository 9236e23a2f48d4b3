/* Of hello.c: what there is to find. */
#include "irqc.h"

static void find(void) {
    uint64_t version = (uint64_t)sbi(SBI_BASE, 0, 0, 0, 0, 0).value;
    print_line("hello: hart %u, sstatus %x, sip %x", (uint64_t)this_cpu(), READ_REGISTER("sstatus"), READ_REGISTER("sip"));
    print_line("hello: time %u Hz%s, %s, SBI %u.%u", ticks_per_second(), has_stimecmp ? ", stimecmp" : "", irqc_name(), version >> 24,
               version & 0xffffff);
}
