/* Of power.c: called by the vectors of start.S, but for interrupts. */
void guest_unexpected(struct frame *frame, uint64_t vector) {
    print_line("exception: vCPU %u, vector %u, ESR %x, FAR %x, ELR %x", (uint64_t)this_cpu(), vector,
               READ_REGISTER("esr_el1"), READ_REGISTER("far_el1"), frame->elr);
    power_off("exception");
}

/* Called by the vector of synchronous exceptions. */
void guest_synchronous(struct frame *frame) {
    if (!on_exception(frame, READ_REGISTER("esr_el1"), READ_REGISTER("far_el1"))) guest_unexpected(frame, 4);
}
