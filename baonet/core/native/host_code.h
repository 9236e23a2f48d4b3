/*
 * Host code that the library has made for one core, as it would have made it for another, or for another place. It is the same but
 * for what it says of places: of what is outside of it, from where it is, and of its core's slot.
 */
#ifndef BAONET_HOST_CODE_H
#define BAONET_HOST_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_code {
    const uint8_t *begin;                   /* its TranslationBlock is right before */
    const uint8_t *prologue, *prologue_end; /* what the library made first, by which the guest is entered and left */
    const void *slot;                       /* a constant of its start; no other has it */
};

/* A block's start is the same in all, but for constants, up to where the guest's instructions begin; NULL: it has none. */
const uint8_t *host_code_run(const uint8_t *begin);

/* What differs, and where: the first byte of its field. */
struct host_fixup {
    uint16_t at;
    uint8_t kind;
};

/* What differs in code of this size. -1: it is more than `most`, or there is an instruction that is not known to be the library's. */
int host_code_fixups(const struct host_code *code, size_t size, const void *block, struct host_fixup *fixups, unsigned most);

/* `out` has `from`, and gets what it is at `to`; false: something is too far from there. */
bool host_code_move(uint8_t *out, const struct host_code *from, const struct host_code *to, const struct host_fixup *fixups, unsigned count);

#endif
