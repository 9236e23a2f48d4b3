/*
 * Instructions of x86-64 as far as the library has them (tcg/i386/tcg-target.inc.c; Intel SDM volume 2, chapter 2 and appendix A).
 * Code that has another is not known to the end, and nobody else gets it.
 */
#include "host_code.h"

#include <string.h>

const uint8_t *host_code_run(const uint8_t *begin) {
    static const uint8_t last[] = {0x44, 0x3b, 0xe3, 0x0f, 0x8c}; /* cmp %ebx, %r12d; jl attend */
    enum { DISTANCE = sizeof(int32_t), LONGEST = 40 };
    for (const uint8_t *at = begin; at <= begin + LONGEST - sizeof last; at++)
        if (at[0] == last[0] && !memcmp(at, last, sizeof last)) return at + sizeof last + DISTANCE;
    return NULL;
}

/* Of an opcode: what follows it. */
enum {
    KNOWN = 1,
    MODRM = 2,
    BYTE = 4,      /* an immediate */
    OPERAND = 8,   /* an immediate of the operand's size, at most four bytes */
    WIDE = 16,     /* an immediate of the operand's size */
    NEAR = 32,     /* a distance, a byte */
    FAR = 64,      /* a distance, four bytes */
    TEST = 128,    /* an immediate, if it is TEST (ModRM.reg) */
};
#define ARITHMETIC(operation) [(operation) << 3 | 3] = KNOWN | MODRM
#define EIGHT(first, flags) \
    [(first) + 0] = (flags), [(first) + 1] = (flags), [(first) + 2] = (flags), [(first) + 3] = (flags), \
    [(first) + 4] = (flags), [(first) + 5] = (flags), [(first) + 6] = (flags), [(first) + 7] = (flags)

static const uint8_t opcodes[256] = {
    ARITHMETIC(0), ARITHMETIC(1), ARITHMETIC(2), ARITHMETIC(3), ARITHMETIC(4), ARITHMETIC(5), ARITHMETIC(6), ARITHMETIC(7),
    EIGHT(0x50, KNOWN), EIGHT(0x58, KNOWN), /* PUSH, POP */
    EIGHT(0x70, KNOWN | NEAR), EIGHT(0x78, KNOWN | NEAR), /* Jcc */
    EIGHT(0xb8, KNOWN | WIDE), /* MOV */
    [0x63] = KNOWN | MODRM, /* MOVSXD */
    [0x69] = KNOWN | MODRM | OPERAND, [0x6b] = KNOWN | MODRM | BYTE, /* IMUL */
    [0x81] = KNOWN | MODRM | OPERAND, [0x83] = KNOWN | MODRM | BYTE, /* ADD to CMP */
    [0x85] = KNOWN | MODRM, /* TEST */
    [0x88] = KNOWN | MODRM, [0x89] = KNOWN | MODRM, [0x8b] = KNOWN | MODRM, /* MOV */
    [0x8d] = KNOWN | MODRM, /* LEA */
    [0x90] = KNOWN,
    [0xc1] = KNOWN | MODRM | BYTE, [0xd1] = KNOWN | MODRM, [0xd3] = KNOWN | MODRM, /* shifts */
    [0xc6] = KNOWN | MODRM | BYTE, [0xc7] = KNOWN | MODRM | OPERAND, /* MOV */
    [0xe8] = KNOWN | FAR, [0xe9] = KNOWN | FAR, [0xeb] = KNOWN | NEAR, /* CALL, JMP */
    [0xf6] = KNOWN | MODRM | BYTE | TEST, [0xf7] = KNOWN | MODRM | OPERAND | TEST, /* TEST, NOT, NEG, MUL, DIV */
    [0xff] = KNOWN | MODRM, /* INC, DEC, CALL, JMP */
};

enum { MAP_0F = 1, MAP_0F38, MAP_0F3A };

static unsigned of_map(unsigned map, uint8_t opcode) {
    if (map == MAP_0F3A) return KNOWN | MODRM | BYTE;
    if (map == MAP_0F38) return KNOWN | MODRM;
    if (map != MAP_0F) return 0;
    if (opcode >> 4 == 8) return KNOWN | FAR; /* Jcc */
    if (opcode >> 3 == 0xc8 >> 3 || opcode == 0x0b || opcode == 0x77) return KNOWN; /* BSWAP, UD2, VZEROUPPER */
    bool byte = (opcode >= 0x70 && opcode <= 0x73) || (opcode >= 0xc4 && opcode <= 0xc6) || opcode == 0xa4 || opcode == 0xac ||
                opcode == 0xba || opcode == 0xc2;
    return KNOWN | MODRM | (byte ? BYTE : 0);
}

struct instruction {
    const uint8_t *end;
    const uint8_t *distance; /* a jump's, or that of what is addressed from its end; NULL: none */
    const uint8_t *wide;     /* an immediate of eight bytes; NULL: none */
    bool jumps, loads_address;
};

enum { REX_W = 8, OPERAND_SIZE = 0x66, LOCK = 0xf0, REPEAT = 0xf3, REPEAT_NOT = 0xf2, VEX_TWO = 0xc5, VEX_THREE = 0xc4, LEA = 0x8d };

static const uint8_t *behind_modrm(const uint8_t *at, struct instruction *instruction) {
    unsigned mode = *at >> 6, base = *at & 7;
    const uint8_t *next = at + 1;
    if (mode == 3) return next;
    if (mode == 0 && base == 5) {
        instruction->distance = next;
        return next + 4;
    }
    if (base == 4) base = *next++ & 7;
    return next + (mode == 1 ? 1 : mode == 2 || base == 5 ? 4 : 0);
}

/* False: it is not known. It may read some bytes behind it, which there are: the library's table of the block's instructions. */
static bool decode(const uint8_t *at, struct instruction *instruction) {
    *instruction = (struct instruction){0};
    bool small = false, wide = false, vex = false;
    unsigned flags;
    for (; *at == OPERAND_SIZE || *at == LOCK || *at == REPEAT || *at == REPEAT_NOT; at++) small |= *at == OPERAND_SIZE;
    if (*at >> 4 == 4) wide = *at++ & REX_W;
    if (*at == VEX_TWO || *at == VEX_THREE) {
        vex = true;
        flags = *at == VEX_TWO ? of_map(MAP_0F, at[2]) : of_map(at[1] & 31, at[3]);
        at += *at == VEX_TWO ? 2 : 3;
    } else if (*at != 0x0f)
        flags = opcodes[*at];
    else if (at[1] == 0x38 || at[1] == 0x3a) {
        flags = of_map(at[1] == 0x38 ? MAP_0F38 : MAP_0F3A, at[2]);
        at += 2;
    } else
        flags = of_map(MAP_0F, *++at);
    if (!(flags & KNOWN)) return false;
    instruction->loads_address = *at == LEA && flags == opcodes[LEA] && !vex;
    uint8_t modrm = *++at;
    if (flags & MODRM) at = behind_modrm(at, instruction);
    if (flags & TEST && (modrm >> 3 & 7) > 1) flags &= ~(unsigned)(BYTE | OPERAND);
    if (flags & FAR) {
        instruction->distance = at;
        instruction->jumps = true;
    }
    if (flags & WIDE && wide) instruction->wide = at;
    at += flags & (BYTE | NEAR) ? 1 : flags & WIDE && wide ? 8 : flags & (OPERAND | WIDE) && small ? 2 : flags & (OPERAND | WIDE | FAR) ? 4 : 0;
    instruction->end = at;
    return true;
}

enum { OUTSIDE, PROLOGUE, SLOT, SLOT_NEAR };

static int32_t distance_at(const uint8_t *at) {
    int32_t distance;
    memcpy(&distance, at, sizeof distance);
    return distance;
}

static bool within(const uint8_t *place, const void *begin, const void *end) {
    return (uintptr_t)place - (uintptr_t)begin < (uintptr_t)end - (uintptr_t)begin;
}

/* The constants that some instructions load are behind the last. */
int host_code_fixups(const struct host_code *code, size_t size, const void *block, struct host_fixup *fixups, unsigned most) {
    const uint8_t *end = code->begin + size, *constants = end, *at = code->begin, *run = host_code_run(at);
    unsigned count = 0;
    struct instruction instruction;
    for (; at < constants; at = instruction.end) {
        if (!decode(at, &instruction)) return -1;
        const uint8_t *field = instruction.distance;
        int kind = -1;
        bool starts = at < run;
        if (field) {
            const uint8_t *target = instruction.end + distance_at(field);
            if (!instruction.jumps && !instruction.loads_address) {
                if (!within(target, instruction.end, end)) return -1;
                if (target < constants) constants = target;
            } else if (!within(target, instruction.jumps ? code->begin : block, end))
                kind = starts && !instruction.jumps                                                 ? SLOT_NEAR
                       : instruction.jumps && within(target, code->prologue, code->prologue_end) ? PROLOGUE
                                                                                                 : OUTSIDE;
            if (kind == SLOT_NEAR && target != code->slot) return -1;
        }
        if (instruction.wide && starts) {
            if (memcmp(instruction.wide, &code->slot, sizeof code->slot)) return -1;
            kind = SLOT;
            field = instruction.wide;
        }
        if (kind < 0) continue;
        if (count == most) return -1;
        fixups[count++] = (struct host_fixup){(uint16_t)(field - code->begin), (uint8_t)kind};
    }
    return at == constants ? (int)count : -1;
}

bool host_code_move(uint8_t *out, const struct host_code *from, const struct host_code *to, const struct host_fixup *fixups, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        uint8_t *field = out + fixups[i].at;
        if (fixups[i].kind == SLOT) {
            memcpy(field, &to->slot, sizeof to->slot);
            continue;
        }
        intptr_t behind = (intptr_t)fixups[i].at + (intptr_t)sizeof(int32_t);
        intptr_t target = (intptr_t)from->begin + behind + distance_at(field);
        if (fixups[i].kind == PROLOGUE) target += to->prologue - from->prologue;
        if (fixups[i].kind == SLOT_NEAR) target = (intptr_t)to->slot;
        intptr_t distance = target - ((intptr_t)to->begin + behind);
        if (distance != (int32_t)distance) return false;
        int32_t near = (int32_t)distance;
        memcpy(field, &near, sizeof near);
    }
    return true;
}
