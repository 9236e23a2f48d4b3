/*
 * A guest that does one thing wrong; one image for each thing. What comes of it is in the table: `parks` is what Bao
 * stops a vCPU for, `answered` gets a result and goes on, `own` is an exception of the guest itself. The table is in
 * `misbehave.h` of the architecture.
 */
#include "guest.h"

/* An exception of the guest itself skips its instruction; a stray fetch returns to the caller. */
static uint64_t exceptions, syndrome;
static void pass_over(struct frame *frame, uint64_t cause);
bool on_exception(struct frame *frame, uint64_t cause, uint64_t address) {
    (void)address;
    exceptions++;
    syndrome = cause;
    pass_over(frame, cause);
    return true;
}

struct misbehaviour {
    const char *name, *outcome;
    void (*act)(void);
};

/* MISBEHAVIOUR(name, outcome, act): the name, with - for _, is that of the image. */
#define MISBEHAVIOUR(name_, outcome_, act_)                           \
    __attribute__((unused)) static void run_##name_(void) { act_; } \
    __attribute__((unused)) static const struct misbehaviour name_ = {#name_, outcome_, run_##name_};

#include "misbehave.h"

void guest_main(void) {
    print_line("misbehave: %s, %s", MISBEHAVE.name, MISBEHAVE.outcome);
    MISBEHAVE.act();
    if (exceptions) print_line("misbehave: " OWN_EXCEPTION " %x", syndrome);
    print_line("misbehave: still here");
    power_off("misbehave");
}
