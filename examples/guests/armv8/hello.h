/* Of hello.c: what there is to find. */
static void find(void) {
    print_line("hello: EL%u, MPIDR %x, MIDR %x", READ_REGISTER("currentel") >> 2, READ_REGISTER("mpidr_el1"),
               READ_REGISTER("midr_el1"));
    print_line("hello: counter %u Hz, GICv%u, PSCI %x", ticks_per_second(), (uint64_t)gic_version(),
               hvc(PSCI_VERSION, 0, 0, 0));
}
