/*
 * What instructions of floating point come to: each with many operands of all edges, in every mode of rounding, with flags that are
 * set and that are not. Of each instruction and mode a line tells a digest of the results and of the flags. `vectors`: how many
 * operands, `seed`: which.
 */
#include "guest.h"
#include "parameters.h"

struct operation {
    const char *name;
    uint64_t (*run)(uint64_t a, uint64_t b, uint64_t c);
    unsigned bits; /* of its operands; 0: integers of 64 */
};

#include "float.h"

static uint64_t vectors = 400, seed = 1, state;

bool on_exception(struct frame *frame, uint64_t cause, uint64_t address) {
    (void)frame, (void)cause, (void)address;
    return false;
}
void on_interrupt(unsigned intid) { (void)intid; }
void guest_secondary(unsigned cpu) { (void)cpu; }

static uint64_t next(void) {
    state += 0x9e3779b97f4a7c15u;
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    return z ^ z >> 31;
}
static uint64_t below(uint64_t limit) { return next() % limit; }

static uint64_t number(unsigned bits) {
    unsigned fraction = bits == 64 ? 52 : 23, most = bits == 64 ? 0x7ff : 0xff, exponent;
    if (!bits) return next() >> below(64);
    switch (below(8)) {
    case 0: exponent = 0; break;
    case 1: exponent = most; break;
    case 2: exponent = 1 + (unsigned)below(fraction); break;
    case 3: exponent = most - 1 - (unsigned)below(3); break;
    case 4: exponent = most / 2 + (unsigned)below(70); break;
    case 5: exponent = (unsigned)below(most); break;
    default: exponent = most / 2 - 2 + (unsigned)below(4);
    }
    uint64_t of = next() & ((1ull << fraction) - 1);
    switch (below(4)) {
    case 0: of = 0; break;
    case 1: of = 1ull << below(fraction); break;
    case 2: of &= ~((1ull << below(fraction)) - 1); break;
    }
    return below(2) << (bits - 1) | (uint64_t)exponent << fraction | of;
}

static void tell(const struct operation *operation, unsigned mode) {
    uint64_t digest = 14695981039346656037u;
    state = seed * 1000003 + mode;
    for (uint64_t n = 0; n < vectors; n++) {
        uint64_t a = number(operation->bits), b = number(operation->bits), c = number(operation->bits);
        if (!below(4)) b = (a ^ below(2) << (operation->bits ? operation->bits - 1 : 63)) + below(3) - 1;
        if (n % 8 == 0) float_mode(mode, (unsigned)below(4));
        float_flags_set(below(3) ? FLOAT_INEXACT : 0);
        uint64_t result = operation->run(a, b, c);
        digest = (digest ^ result) * 1099511628211u;
        digest = (digest ^ digest >> 29 ^ float_flags()) * 1099511628211u;
    }
    print_line("float: %s, mode %u: %x", operation->name, (uint64_t)mode, digest);
}

void guest_main(void) {
    static const struct parameter parameters[] = {{"vectors", &vectors}, {"seed", &seed}};
    parameters_read("float", parameters, sizeof parameters / sizeof *parameters);
    float_on();
    for (unsigned i = 0; i < sizeof operations / sizeof *operations; i++)
        for (unsigned mode = 0; mode < FLOAT_MODES; mode++) tell(&operations[i], mode);
    power_off("float");
}
