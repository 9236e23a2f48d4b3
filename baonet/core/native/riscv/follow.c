/*
 * What instructions do in each iteration of a loop that waits for the counter (polling.h): RV64I, the products and quotients of M,
 * and what C has of them (unprivileged architecture, 2 to 5, 13, 28).
 */
#include "architecture.h"
#include "polling.h"
#include "riscv/encoding.h"
#include "riscv/registers.h"

#define BITS(word, low, count) ((word) >> (low) & ((1u << (count)) - 1))
#define CSR_TIME 0xc01u
#define LINK 1
#define STACK 2

enum { OPCODE_IMMEDIATE = 0x13, OPCODE_AUIPC = 0x17, OPCODE_IMMEDIATE_32 = 0x1b, OPCODE_REGISTER = 0x33, OPCODE_LUI = 0x37,
       OPCODE_REGISTER_32 = 0x3b, OPCODE_BRANCH = 0x63, OPCODE_JALR = 0x67, OPCODE_JAL = 0x6f };
enum { ADD, SLL, SLT, SLTU, XOR, SRL, OR, AND };

static int64_t extend(uint64_t value, unsigned bits) { return (int64_t)(value << (64 - bits)) >> (64 - bits); }

static struct span get(struct iteration *it, unsigned number) { return number ? iteration_register(it, number) : span_same(0); }

static bool set(struct iteration *it, unsigned number, struct span value) {
    if (number) iteration_set_register(it, number, value);
    return true;
}

static bool set_answer(struct iteration *it, unsigned number, bool known, bool answer) {
    return known && set(it, number, span_same(answer));
}

/* `other`: SUB, SRA. */
static bool compute(struct iteration *it, unsigned rd, unsigned operation, bool other, struct span a, struct span b) {
    bool answer, known;
    if ((operation == SLL || operation == SRL) && !span_is_same(b)) return false;
    switch (operation) {
    case ADD: return set(it, rd, other ? span_sub(a, b) : span_add(a, b));
    case SLL: return set(it, rd, span_shift_left(a, b.first & 63));
    case SLT: known = span_less_signed(a, b, &answer); return set_answer(it, rd, known, answer);
    case SLTU: known = span_less(a, b, &answer); return set_answer(it, rd, known, answer);
    case XOR: return set(it, rd, span_xor(a, b));
    case SRL: return set(it, rd, other ? span_shift_right_signed(a, b.first & 63) : span_shift_right(a, b.first & 63));
    case OR: return set(it, rd, span_or(a, b));
    default: return set(it, rd, span_and(a, b));
    }
}

/* The same of the lower halves. */
static bool compute_32(struct iteration *it, unsigned rd, unsigned operation, bool other, struct span a, struct span b) {
    if (operation == SRL) {
        if (!span_is_same(b)) return false;
        a = other ? span_low_signed(a, 32) : span_low(a, 32);
    } else if (operation != ADD && operation != SLL) {
        return false;
    }
    if (operation != ADD) b = span_and(b, span_same(31));
    return compute(it, rd, operation, other, a, b) && (!rd || set(it, rd, span_low_signed(it->registers[rd], 32)));
}

/* MUL, MULHU, DIVU; the lower halves of MULW. */
static bool multiply_or_divide(struct iteration *it, uint32_t word, struct span a, struct span b) {
    bool narrow = OPCODE(word) == OPCODE_REGISTER_32;
    switch (FUNCT3(word)) {
    case 0: {
        struct span product = span_mul(a, b);
        return set(it, RD(word), narrow ? span_low_signed(product, 32) : product);
    }
    case 3: return !narrow && set(it, RD(word), span_mul_high(a, b));
    case 5: {
        if (!narrow) return set(it, RD(word), span_divide(a, b, UINT64_MAX));
        struct span quotient = span_divide(span_low(a, 32), span_low(b, 32), UINT64_MAX);
        return set(it, RD(word), span_low_signed(quotient, 32));
    }
    default: return false;
    }
}

static bool by_registers(struct iteration *it, uint32_t word) {
    struct span a = get(it, RS1(word)), b = get(it, RS2(word));
    unsigned kind = FUNCT7(word), operation = FUNCT3(word);
    if (kind == 1) return multiply_or_divide(it, word, a, b);
    bool other = kind == 0x20;
    if (kind && !(other && (operation == ADD || operation == SRL))) return false;
    return OPCODE(word) == OPCODE_REGISTER ? compute(it, RD(word), operation, other, a, b)
                                           : compute_32(it, RD(word), operation, other, a, b);
}

static bool by_immediate(struct iteration *it, uint32_t word) {
    unsigned operation = FUNCT3(word), kind = FUNCT7(word);
    struct span a = get(it, RS1(word)), b = span_same((uint64_t)((int32_t)word >> 20));
    bool shifts = operation == SLL || operation == SRL, other = shifts && kind >> 1 == 0x10;
    if (shifts && kind >> 1 && !(other && operation == SRL)) return false;
    if (shifts) b = span_same(BITS(word, 20, 6));
    if (OPCODE(word) == OPCODE_IMMEDIATE) return compute(it, RD(word), operation, other, a, b);
    return !(shifts && b.first > 31) && compute_32(it, RD(word), operation, other, a, b);
}

static bool jump(struct iteration *it, unsigned rd, struct span target, unsigned length) {
    if (!span_is_same(target)) return false;
    set(it, rd, span_same(it->pc + length));
    it->pc = (target.first & ~1ull) - length; /* to the next is added afterwards */
    return true;
}

static bool branch(struct iteration *it, unsigned condition, struct span a, struct span b, int64_t distance, unsigned length) {
    static bool (*const compare[])(struct span, struct span, bool *) = {span_equal, NULL, span_less_signed, span_less};
    bool answer;
    if (condition >> 1 == 1 || !compare[condition >> 1](a, b, &answer)) return false;
    if (answer != (condition & 1)) it->pc += (uint64_t)distance - length;
    return true;
}

static bool load(struct iteration *it, unsigned rd, unsigned kind, struct span address) {
    struct span value;
    unsigned size = 1u << (kind & 3);
    if (kind == 7 || !iteration_load(it, address, size, &value)) return false;
    return set(it, rd, kind & 4 ? value : span_low_signed(value, 8 * size));
}

static int64_t branch_distance(uint32_t word) {
    return extend(BITS(word, 8, 4) << 1 | BITS(word, 25, 6) << 5 | BITS(word, 7, 1) << 11 | word >> 31 << 12, 13);
}
static int64_t jump_distance(uint32_t word) {
    return extend(BITS(word, 21, 10) << 1 | BITS(word, 20, 1) << 11 | BITS(word, 12, 8) << 12 | word >> 31 << 20, 21);
}

static bool execute(struct iteration *it, uint32_t word) {
    struct span here = span_same(it->pc), upper = span_same((uint64_t)(int32_t)(word & 0xfffff000));
    switch (OPCODE(word)) {
    case OPCODE_LUI: return set(it, RD(word), upper);
    case OPCODE_AUIPC: return set(it, RD(word), span_add(here, upper));
    case OPCODE_JAL: return jump(it, RD(word), span_add(here, span_same((uint64_t)jump_distance(word))), 4);
    case OPCODE_JALR:
        return !FUNCT3(word) && jump(it, RD(word), span_add(get(it, RS1(word)), span_same((uint64_t)((int32_t)word >> 20))), 4);
    case OPCODE_BRANCH: return branch(it, FUNCT3(word), get(it, RS1(word)), get(it, RS2(word)), branch_distance(word), 4);
    case OPCODE_LOAD: {
        struct span offset = span_same((uint64_t)((int32_t)word >> 20));
        return load(it, RD(word), FUNCT3(word), span_add(get(it, RS1(word)), offset));
    }
    case OPCODE_STORE: {
        struct span offset = span_same((uint64_t)extend(RD(word) | FUNCT7(word) << 5, 12));
        struct span address = span_add(get(it, RS1(word)), offset);
        return FUNCT3(word) < 4 && iteration_store(it, address, 1u << FUNCT3(word), get(it, RS2(word)));
    }
    case OPCODE_IMMEDIATE:
    case OPCODE_IMMEDIATE_32: return by_immediate(it, word);
    case OPCODE_REGISTER:
    case OPCODE_REGISTER_32: return by_registers(it, word);
    case OPCODE_FENCE:
        if (word == PAUSE) return !it->core->scratch.polite;
        return !FUNCT3(word) && BITS(word, 20, 4) && BITS(word, 24, 4); /* nobody else sees an order */
    default: return false;
    }
}

/* Offsets of 4 or 8 bytes, as the compressed loads and stores have them: by the registers, and from SP. */
static unsigned offset_4(uint32_t half) { return BITS(half, 10, 3) << 3 | BITS(half, 6, 1) << 2 | BITS(half, 5, 1) << 6; }
static unsigned offset_8(uint32_t half) { return BITS(half, 10, 3) << 3 | BITS(half, 5, 2) << 6; }
static unsigned from_stack_4(uint32_t half) { return BITS(half, 12, 1) << 5 | BITS(half, 4, 3) << 2 | BITS(half, 2, 2) << 6; }
static unsigned from_stack_8(uint32_t half) { return BITS(half, 12, 1) << 5 | BITS(half, 5, 2) << 3 | BITS(half, 2, 3) << 6; }
static unsigned to_stack_4(uint32_t half) { return BITS(half, 9, 4) << 2 | BITS(half, 7, 2) << 6; }
static unsigned to_stack_8(uint32_t half) { return BITS(half, 10, 3) << 3 | BITS(half, 7, 3) << 6; }
static int64_t immediate_6(uint32_t half) { return extend(BITS(half, 12, 1) << 5 | BITS(half, 2, 5), 6); }
static int64_t stack_moved(uint32_t half) {
    uint32_t high = BITS(half, 12, 1) << 9 | BITS(half, 3, 2) << 7;
    return extend(high | BITS(half, 5, 1) << 6 | BITS(half, 2, 1) << 5 | BITS(half, 6, 1) << 4, 10);
}
static int64_t short_jump_distance(uint32_t half) {
    uint32_t high = BITS(half, 12, 1) << 11 | BITS(half, 8, 1) << 10 | BITS(half, 9, 2) << 8 | BITS(half, 6, 1) << 7;
    return extend(high | BITS(half, 7, 1) << 6 | BITS(half, 2, 1) << 5 | BITS(half, 11, 1) << 4 | BITS(half, 3, 3) << 1, 12);
}
static int64_t short_branch_distance(uint32_t half) {
    uint32_t high = BITS(half, 12, 1) << 8 | BITS(half, 5, 2) << 6 | BITS(half, 2, 1) << 5;
    return extend(high | BITS(half, 10, 2) << 3 | BITS(half, 3, 2) << 1, 9);
}
#define SHORT(half, low) (8 + BITS(half, low, 3))

static bool quadrant_0(struct iteration *it, uint32_t half) {
    unsigned near = SHORT(half, 7), other = SHORT(half, 2);
    unsigned added = BITS(half, 11, 2) << 4 | BITS(half, 7, 4) << 6 | BITS(half, 6, 1) << 2 | BITS(half, 5, 1) << 3;
    switch (BITS(half, 13, 3)) {
    case 0: return added && set(it, other, span_add(get(it, STACK), span_same(added)));
    case 2: return load(it, other, 2, span_add(get(it, near), span_same(offset_4(half))));
    case 3: return load(it, other, 3, span_add(get(it, near), span_same(offset_8(half))));
    case 6: return iteration_store(it, span_add(get(it, near), span_same(offset_4(half))), 4, get(it, other));
    case 7: return iteration_store(it, span_add(get(it, near), span_same(offset_8(half))), 8, get(it, other));
    default: return false;
    }
}

static bool short_arithmetic(struct iteration *it, uint32_t half) {
    static const uint8_t operations[] = {ADD, XOR, OR, AND};
    unsigned rd = SHORT(half, 7), kind = BITS(half, 10, 2), operation = BITS(half, 5, 2);
    struct span a = get(it, rd), amount = span_same((uint64_t)immediate_6(half) & 63);
    switch (kind) {
    case 0:
    case 1: return compute(it, rd, SRL, kind, a, amount);
    case 2: return compute(it, rd, AND, false, a, span_same((uint64_t)immediate_6(half)));
    default: break;
    }
    struct span b = get(it, SHORT(half, 2));
    if (!BITS(half, 12, 1)) return compute(it, rd, operations[operation], !operation, a, b);
    return operation < 2 && compute_32(it, rd, ADD, !operation, a, b);
}

static bool quadrant_1(struct iteration *it, uint32_t half) {
    unsigned rd = BITS(half, 7, 5), kind = BITS(half, 13, 3);
    struct span value = span_same((uint64_t)immediate_6(half));
    switch (kind) {
    case 0: return compute(it, rd, ADD, false, get(it, rd), value);
    case 1: return rd && compute_32(it, rd, ADD, false, get(it, rd), value);
    case 2: return set(it, rd, value);
    case 3:
        if (rd != STACK) return set(it, rd, span_same(value.first << 12));
        return set(it, STACK, span_add(get(it, STACK), span_same((uint64_t)stack_moved(half))));
    case 4: return short_arithmetic(it, half);
    case 5: return jump(it, 0, span_same(it->pc + (uint64_t)short_jump_distance(half)), 2);
    default: return branch(it, kind & 1, get(it, SHORT(half, 7)), span_same(0), short_branch_distance(half), 2);
    }
}

static bool quadrant_2(struct iteration *it, uint32_t half) {
    unsigned rd = BITS(half, 7, 5), other = BITS(half, 2, 5);
    switch (BITS(half, 13, 3)) {
    case 0: return compute(it, rd, SLL, false, get(it, rd), span_same((uint64_t)immediate_6(half) & 63));
    case 2: return rd && load(it, rd, 2, span_add(get(it, STACK), span_same(from_stack_4(half))));
    case 3: return rd && load(it, rd, 3, span_add(get(it, STACK), span_same(from_stack_8(half))));
    case 4:
        if (!other) return rd && jump(it, BITS(half, 12, 1) ? LINK : 0, get(it, rd), 2);
        return set(it, rd, BITS(half, 12, 1) ? span_add(get(it, rd), get(it, other)) : get(it, other));
    case 6: return iteration_store(it, span_add(get(it, STACK), span_same(to_stack_4(half))), 4, get(it, other));
    case 7: return iteration_store(it, span_add(get(it, STACK), span_same(to_stack_8(half))), 8, get(it, other));
    default: return false;
    }
}

static bool execute_half(struct iteration *it, uint32_t half) {
    switch (half & 3) {
    case 0: return quadrant_0(it, half);
    case 1: return quadrant_1(it, half);
    default: return quadrant_2(it, half);
    }
}

static bool fetch(const struct iteration *it, uint32_t *word) {
    uint32_t upper;
    if (!iteration_fetch(it, it->pc, 2, word)) return false;
    if (IS_COMPRESSED(*word)) return true;
    if (!iteration_fetch(it, it->pc + 2, 2, &upper)) return false;
    *word |= upper << 16;
    return true;
}

bool arch_follow(struct iteration *it) {
    uint32_t word;
    if (!fetch(it, &word)) return false;
    unsigned length = IS_COMPRESSED(word) ? 2 : 4;
    if (!(length == 2 ? execute_half(it, word) : execute(it, word))) return false;
    it->pc += length;
    return true;
}

/* RDTIME, which the CSR instructions that write nothing are. */
bool arch_follow_counter(struct iteration *it) {
    uint32_t word;
    it->mmu_index = (unsigned)mmu_index(it->core);
    if (!fetch(it, &word) || !is_csr_instruction(word) || CSR(word) != CSR_TIME || writes_csr(word)) return false;
    it->pc += 4;
    return set(it, RD(word), it->counter);
}

bool arch_followed(const struct iteration *it) {
    (void)it;
    return true;
}

void arch_follow_end(const struct iteration *it) { (void)it; }
