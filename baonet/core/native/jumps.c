/*
 * The library's host code for the end of a block that may go on in two, and what it becomes:
 *
 *         jcc     other                       jcc     <the other block, or out>
 *         jmp     <one block, or out>         jmp     <one block, or out>
 *     out:                                out:
 *         ...                                 ...
 *     other:
 *         jmp     <the other block, or out>
 *     out:
 *         ...
 *
 * The library sets a jump when its block is there, and sets it back when it is not any more, by a table of where each has its
 * distance (jmp_target_arg). That of a conditional jump of six bytes has the same form: from its own end, in its last four.
 */
#include "jumps.h"

#define JMP 0xe9
#define JCC_PREFIX 0x0f
#define JCC 0x80 /* and a condition */
#define JCC_LENGTH 6
#define DISTANCE_LENGTH 4
#define MOST_PADDING 3 /* the library may have a jump's distance aligned */

/* Whether there is nothing but what does nothing, as the library has it: operand-size prefixes and a NOP. */
static bool is_padding(const uint8_t *from, const uint8_t *to) {
    if (from > to || to - from > MOST_PADDING) return false;
    for (const uint8_t *at = from; at < to; at++)
        if (*at != (at + 1 < to ? 0x66 : 0x90)) return false;
    return true;
}

static const uint8_t *target(const uint8_t *end) {
    int32_t distance;
    memcpy(&distance, end - DISTANCE_LENGTH, sizeof distance);
    return end + distance;
}

/* Whether what ends there is a conditional jump to `other`. No other instruction can end so in front of a jump. */
static bool leads(const uint8_t *end, const uint8_t *other) {
    return end[-JCC_LENGTH] == JCC_PREFIX && (end[1 - JCC_LENGTH] & 0xf0) == JCC && is_padding(target(end), other);
}

void jumps_shorten(uint8_t *block) {
    const uint16_t *reset = &FIELD(const uint16_t, block, TB_JUMP_RESET);
    uint64_t *place = &FIELD(uint64_t, block, TB_JUMP_PLACE);
    if (reset[0] == NO_JUMP || reset[1] == NO_JUMP) return;
    unsigned second = place[0] < place[1];
    const uint8_t *code = FIELD(const uint8_t *, block, TB_CODE);
    const uint8_t *one = code + place[!second] - 1, *other = code + place[second] - 1;
    if (*one != JMP || *other != JMP) return;
    for (const uint8_t *end = one; end >= code + JCC_LENGTH && is_padding(end, one); end--)
        if (leads(end, other)) place[second] = (uint64_t)(end - DISTANCE_LENGTH - code);
}
