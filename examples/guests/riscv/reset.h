/* Of reset.c: what a life finds of the one before it, beside its memory: interrupts that are enabled, and one that was sent. */

#define FOUND "sie %x, sent %x"

static uint64_t found_first(void) { return READ_REGISTER("sie"); }
static uint64_t found_second(void) { return READ_REGISTER("sip") >> CAUSE_SOFTWARE & 1; }
