#ifndef GUEST_PARAMETERS_H
#define GUEST_PARAMETERS_H

#include <stdint.h>

/* `value` is the default when it comes, and what the command line says afterwards. */
struct parameter {
    const char *name;
    uint64_t *value;
};

/*
 * Reads the words `name=value` of the VM's command line. Values are decimal numbers, times with ns, us, ms or s, in
 * nanoseconds then, or sizes with B, KiB or MiB. A word that is none of `known` is told, and ends the guest.
 */
void parameters_read(const char *guest, const struct parameter *known, unsigned count);

#endif
