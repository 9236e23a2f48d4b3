/* Of power.c: called by the entry and the trap of start.S. */
#include "board_found.h"
#include "irqc.h"

void riscv_start(unsigned cpu, uint64_t tree, unsigned entry) {
    if (!cpu) look_at_board(tree, entry);
    timer_off(); /* under Bao it is pending at first */
    guest_start(cpu, tree);
}

static void guest_unexpected(struct frame *frame, uint64_t cause, uint64_t address) {
    print_line("exception: vCPU %u, cause %u, stval %x, sepc %x", (uint64_t)this_cpu(), cause, address, frame->pc);
    power_off("exception");
}

void guest_trap(struct frame *frame, uint64_t cause, uint64_t address) {
    if ((int64_t)cause < 0)
        guest_interrupt((unsigned)cause);
    else if (!on_exception(frame, cause, address))
        guest_unexpected(frame, cause, address);
}
