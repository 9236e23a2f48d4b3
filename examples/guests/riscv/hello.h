/* Of hello.c: what there is to find. Without a tree nothing tells which interrupt controller there is. */
#include "irqc.h"
#include "tree.h"

static void find(void) {
    uint64_t version = (uint64_t)sbi(SBI_BASE, 0, 0, 0, 0, 0).value;
    print_line("hello: hart %u, sstatus %x, sip %x", (uint64_t)this_cpu(), READ_REGISTER("sstatus"), READ_REGISTER("sip"));
    print_line("hello: time %u Hz, SBI %u.%u%s%s", ticks_per_second(), version >> 24, version & 0xffffff,
               has_stimecmp ? ", stimecmp" : "", is_tree(device_tree) ? "" : ", no device tree");
    if (is_tree(device_tree)) print_line("hello: interrupts by %s", irqc_name());
}
