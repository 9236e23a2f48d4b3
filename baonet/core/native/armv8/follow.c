/*
 * What A64's instructions do in each iteration of a loop that waits for the counter (polling.h): those of integers (Arm ARM
 * C4.1).
 */
#include "architecture.h"
#include "armv8/flags.h"
#include "polling.h"

#define BITS(word, low, count) ((word) >> (low) & ((1u << (count)) - 1))
#define SIGNED(word, low, count) ((int64_t)((uint64_t)BITS(word, low, count) << (64 - (count))) >> (64 - (count)))
#define IS_64(word) ((word) >> 31)
#define RD(word) BITS(word, 0, 5)
#define RN(word) BITS(word, 5, 5)
#define RT2(word) BITS(word, 10, 5)
#define RM(word) BITS(word, 16, 5)
#define LINK 30
#define STACK 31 /* or zero */

#define N 8u
#define Z 4u
#define C 2u
#define V 1u
enum { EQ, CS, MI, VS, HI, GE, GT, ALWAYS };
#define ALL_KNOWN 0xffu

/* MRS of CNTFRQ_EL0; of CNTPCT_EL0, CNTVCT_EL0. */
#define IS_FREQUENCY(word) (((word) & 0xffffffe0) == 0xd53be000)
#define IS_COUNTER(word) (((word) & 0xffffffe0) == 0xd53be020 || ((word) & 0xffffffe0) == 0xd53be040)
/* NOP; ISB, and DMB of any kind: nobody else is there to see an order. YIELD, unless somebody else would run. */
#define IS_NOTHING(word) ((word) == 0xd503201f || ((word) & 0xfffff0ff) == 0xd50330df || ((word) & 0xfffff0ff) == 0xd50330bf)
#define IS_YIELD(word) ((word) == 0xd503203f)

static struct span zero_or(struct iteration *it, unsigned number) {
    return number == STACK ? span_same(0) : iteration_register(it, number);
}

/* An operand of an instruction of this size; and what it computes, in a register that may be SP or zero. */
static struct span sized(uint32_t word, struct span value) { return IS_64(word) ? value : span_low(value, 32); }
static struct span operand(struct iteration *it, uint32_t word, unsigned number) { return sized(word, zero_or(it, number)); }
static void to_stack_or(struct iteration *it, uint32_t word, unsigned number, struct span value) {
    iteration_set_register(it, number, sized(word, value));
}
static void set(struct iteration *it, uint32_t word, unsigned number, struct span value) {
    if (number != STACK) to_stack_or(it, word, number, value);
}

static void set_flags(struct iteration *it, uint8_t first, uint8_t last, uint8_t known) {
    it->arch.first = first;
    it->arch.last = last;
    it->arch.known = known;
    it->arch.written = true;
}

static bool meets(uint8_t nzcv, unsigned pair) {
    bool n = nzcv & N, z = nzcv & Z, c = nzcv & C, v = nzcv & V;
    const bool met[] = {z, c, n, v, c && !z, n == v, n == v && !z, true};
    return met[pair];
}

/* False: the outcome is not known. */
static bool holds(struct iteration *it, unsigned condition, bool *answer) {
    unsigned pair = condition >> 1;
    it->arch.read |= !it->arch.written && pair != ALWAYS;
    *answer = meets(it->arch.first, pair) ^ (condition & 1 && pair != ALWAYS);
    return it->arch.known >> pair & 1;
}

static uint8_t nzcv_of_difference(uint64_t a, uint64_t b) {
    uint64_t difference = a - b;
    bool overflow = ((a ^ b) & (a ^ difference)) >> 63;
    return (difference >> 63 ? N : 0) | (difference ? 0 : Z) | (a >= b ? C : 0) | (overflow ? V : 0);
}

static void compare(struct iteration *it, uint32_t word, struct span a, struct span b) {
    bool answer;
    if (!IS_64(word)) a = span_shift_left(a, 32), b = span_shift_left(b, 32);
    uint8_t known = 1u << ALWAYS;
    known |= span_equal(a, b, &answer) << EQ | span_less(a, b, &answer) << CS | span_less(b, a, &answer) << HI;
    known |= span_keeps_sign(span_sub(a, b)) << MI;
    known |= span_less_signed(a, b, &answer) << GE | span_less_signed(b, a, &answer) << GT;
    if (span_is_same(a) && span_is_same(b)) known = ALL_KNOWN;
    set_flags(it, nzcv_of_difference(a.first, b.first), nzcv_of_difference(a.last, b.last), known);
}

/* As after a logical operation: C and V are 0. */
static void test(struct iteration *it, uint32_t word, struct span value) {
    bool answer;
    if (!IS_64(word)) value = span_shift_left(value, 32);
    bool zero = span_equal(value, span_same(0), &answer), sign = span_keeps_sign(value);
    uint8_t known = zero << EQ | 1u << CS | sign << MI | 1u << VS | 1u << HI | sign << GE | (zero && sign) << GT | 1u << ALWAYS;
    set_flags(it, (value.first >> 63 ? N : 0) | (value.first ? 0 : Z), (value.last >> 63 ? N : 0) | (value.last ? 0 : Z), known);
}

static bool add_or_subtract(struct iteration *it, uint32_t word, struct span a, struct span b, bool stack) {
    bool subtracts = BITS(word, 30, 1), flags = BITS(word, 29, 1);
    struct span result = subtracts ? span_sub(a, b) : span_add(a, b);
    if (flags && !subtracts) return false;
    if (flags) compare(it, word, a, b);
    if (stack && !flags) to_stack_or(it, word, RD(word), result);
    else set(it, word, RD(word), result);
    return true;
}

static bool logical(struct iteration *it, uint32_t word, struct span a, struct span b, bool stack) {
    unsigned kind = BITS(word, 29, 2);
    struct span result = kind == 1 ? span_or(a, b) : kind == 2 ? span_xor(a, b) : span_and(a, b);
    if (kind == 3) test(it, word, result);
    if (stack && kind != 3) to_stack_or(it, word, RD(word), result);
    else set(it, word, RD(word), result);
    return true;
}

/* DecodeBitMasks() for an immediate. */
static bool bitmask(uint32_t word, uint64_t *mask) {
    unsigned ones = BITS(word, 10, 6), rotation = BITS(word, 16, 6), wide = BITS(word, 22, 1), size = 64;
    if (!wide) {
        if ((ones & 0x3e) == 0x3e) return false;
        for (size = 32; ones & size; size >>= 1) continue;
    }
    if (!IS_64(word) && wide) return false;
    ones &= size - 1;
    rotation &= size - 1;
    if (ones == size - 1) return false;
    uint64_t element = ~0ull >> (63 - ones), all = ~0ull >> (64 - size);
    if (rotation) element = (element >> rotation | element << (size - rotation)) & all;
    for (; size < 64; size *= 2) element |= element << size;
    *mask = element;
    return true;
}

static struct span shifted(uint32_t word, struct span value, unsigned kind, unsigned by) {
    unsigned bits = IS_64(word) ? 64 : 32;
    switch (kind) {
    case 0: return sized(word, span_shift_left(value, by));
    case 1: return span_shift_right(value, by);
    case 2: return sized(word, span_shift_right_signed(span_low_signed(value, bits), by));
    default: break;
    }
    if (!by) return value;
    uint64_t first = value.first >> by | value.first << (bits - by), last = value.last >> by | value.last << (bits - by);
    return sized(word, span_of_bits(first, last, value, span_same(0)));
}

static struct span extended(struct span value, unsigned option, unsigned by) {
    unsigned bits = 8u << (option & 3);
    return span_shift_left(option & 4 ? span_low_signed(value, bits) : span_low(value, bits), by);
}

static bool move_wide(struct iteration *it, uint32_t word) {
    uint64_t part = (uint64_t)BITS(word, 5, 16) << 16 * BITS(word, 21, 2), mask = 0xffffull << 16 * BITS(word, 21, 2);
    switch (BITS(word, 29, 2)) {
    case 0: set(it, word, RD(word), span_same(~part)); return true;
    case 2: set(it, word, RD(word), span_same(part)); return true;
    case 3: set(it, word, RD(word), span_or(span_and(operand(it, word, RD(word)), span_same(~mask)), span_same(part))); return true;
    default: return false;
    }
}

/* SBFM and UBFM: of the field that begins at R, or is put there. BFM is not followed. */
static bool bitfield(struct iteration *it, uint32_t word) {
    unsigned kind = BITS(word, 29, 2), r = BITS(word, 16, 6), s = BITS(word, 10, 6), bits = IS_64(word) ? 64 : 32;
    if (kind == 1 || kind == 3 || BITS(word, 22, 1) != IS_64(word) || r >= bits || s >= bits) return false;
    struct span value = operand(it, word, RN(word));
    if (s >= r) value = span_shift_right(value, r);
    unsigned width = s >= r ? s - r + 1 : s + 1;
    struct span field = kind ? span_low(value, width) : span_low_signed(value, width);
    set(it, word, RD(word), s >= r ? field : span_shift_left(field, bits - r));
    return true;
}

static bool immediate(struct iteration *it, uint32_t word) {
    uint64_t mask;
    switch (BITS(word, 23, 3)) {
    case 0:
    case 1: { /* ADR, ADRP */
        uint64_t distance = (uint64_t)(SIGNED(word, 5, 19) * 4 + BITS(word, 29, 2));
        set(it, ~0u, RD(word), span_same(IS_64(word) ? (it->pc & PAGE_MASK) + (distance << 12) : it->pc + distance));
        return true;
    }
    case 2: {
        struct span value = span_same((uint64_t)BITS(word, 10, 12) << (BITS(word, 22, 1) ? 12 : 0));
        return add_or_subtract(it, word, sized(word, iteration_register(it, RN(word))), value, true);
    }
    case 4: return bitmask(word, &mask) && logical(it, word, operand(it, word, RN(word)), sized(word, span_same(mask)), true);
    case 5: return (IS_64(word) || BITS(word, 21, 2) < 2) && move_wide(it, word);
    case 6: return bitfield(it, word);
    default: return false;
    }
}

static bool conditional_select(struct iteration *it, uint32_t word) {
    bool met, inverts = BITS(word, 30, 1), increments = BITS(word, 10, 1);
    if (!holds(it, BITS(word, 12, 4), &met)) return false;
    struct span value = operand(it, word, met ? RN(word) : RM(word));
    if (!met && inverts) value = span_not(value);
    if (!met && increments) value = span_add(value, span_same(1));
    set(it, word, RD(word), value);
    return true;
}

static bool conditional_compare(struct iteration *it, uint32_t word) {
    bool met;
    if (!BITS(word, 30, 1) || !holds(it, BITS(word, 12, 4), &met)) return false; /* CCMN */
    struct span other = BITS(word, 11, 1) ? span_same(RM(word)) : operand(it, word, RM(word));
    if (met) compare(it, word, operand(it, word, RN(word)), other);
    else set_flags(it, BITS(word, 0, 4), BITS(word, 0, 4), ALL_KNOWN);
    return true;
}

static bool of_two(struct iteration *it, uint32_t word) {
    struct span a = operand(it, word, RN(word)), b = operand(it, word, RM(word));
    unsigned kind = BITS(word, 10, 6);
    if (kind == 2) {
        set(it, word, RD(word), span_divide(a, b, 0));
        return true;
    }
    if (kind < 8 || kind > 11 || !span_is_same(b)) return false;
    set(it, word, RD(word), shifted(word, a, kind & 3, b.first & (IS_64(word) ? 63 : 31)));
    return true;
}

static bool of_three(struct iteration *it, uint32_t word) {
    unsigned kind = BITS(word, 21, 3);
    struct span a = operand(it, word, RN(word)), b = operand(it, word, RM(word)), sum = operand(it, word, RT2(word));
    if (kind == 6 && IS_64(word)) { /* UMULH */
        set(it, word, RD(word), span_mul_high(a, b));
        return true;
    }
    if (kind == 1) a = span_low_signed(a, 32), b = span_low_signed(b, 32);
    else if (kind == 5) a = span_low(a, 32), b = span_low(b, 32);
    else if (kind) return false;
    struct span product = span_mul(a, b);
    set(it, word, RD(word), BITS(word, 15, 1) ? span_sub(sum, product) : span_add(sum, product));
    return true;
}

static bool by_registers(struct iteration *it, uint32_t word) {
    unsigned amount = BITS(word, 10, 6), shift = BITS(word, 22, 2);
    if (!BITS(word, 28, 1)) {
        if (!IS_64(word) && amount > 31) return false;
        if (BITS(word, 24, 1) && BITS(word, 21, 1)) {
            if (shift || BITS(word, 10, 3) > 4) return false;
            struct span a = sized(word, iteration_register(it, RN(word)));
            return add_or_subtract(it, word, a, extended(zero_or(it, RM(word)), BITS(word, 13, 3), BITS(word, 10, 3)), true);
        }
        struct span value = shifted(word, operand(it, word, RM(word)), shift, amount);
        if (BITS(word, 24, 1)) return shift < 3 && add_or_subtract(it, word, operand(it, word, RN(word)), value, false);
        if (BITS(word, 21, 1)) value = span_not(value);
        return logical(it, word, operand(it, word, RN(word)), sized(word, value), false);
    }
    if (BITS(word, 24, 1)) return of_three(it, word);
    switch (BITS(word, 21, 4)) {
    case 2: return BITS(word, 29, 1) && !BITS(word, 10, 1) && !BITS(word, 4, 1) && conditional_compare(it, word);
    case 4: return !BITS(word, 29, 1) && !BITS(word, 11, 1) && conditional_select(it, word);
    case 6: return BITS(word, 29, 2) == 0 && of_two(it, word);
    default: return false;
    }
}

/* Whether a branch is taken, where to. */
static void jump(struct iteration *it, bool taken, int64_t words) {
    if (taken) it->pc += (uint64_t)(words * 4) - 4; /* to the next is added afterwards */
}

static bool jump_to(struct iteration *it, uint32_t word, bool links) {
    struct span target = zero_or(it, RN(word));
    if (!span_is_same(target) || target.first & 3) return false;
    if (links) iteration_set_register(it, LINK, span_same(it->pc + 4));
    it->pc = target.first - 4;
    return true;
}

static bool branch(struct iteration *it, uint32_t word) {
    bool answer;
    if ((word & 0x7c000000) == 0x14000000) { /* B, BL */
        if (IS_64(word)) iteration_set_register(it, LINK, span_same(it->pc + 4));
        jump(it, true, SIGNED(word, 0, 26));
        return true;
    }
    if ((word & 0xff000010) == 0x54000000) { /* B.cond */
        if (!holds(it, BITS(word, 0, 4), &answer)) return false;
        jump(it, answer, SIGNED(word, 5, 19));
        return true;
    }
    if ((word & 0x7e000000) == 0x34000000) { /* CBZ, CBNZ */
        if (!span_equal(operand(it, word, RD(word)), span_same(0), &answer)) return false;
        jump(it, answer != BITS(word, 24, 1), SIGNED(word, 5, 19));
        return true;
    }
    if ((word & 0x7e000000) == 0x36000000) { /* TBZ, TBNZ */
        struct span bit = span_low(span_shift_right(zero_or(it, RD(word)), IS_64(word) << 5 | BITS(word, 19, 5)), 1);
        if (!span_is_same(bit)) return false;
        jump(it, bit.first == BITS(word, 24, 1), SIGNED(word, 5, 14));
        return true;
    }
    if ((word & 0xff9ffc1f) == 0xd61f0000 && BITS(word, 21, 2) < 3) /* BR, BLR, RET */
        return jump_to(it, word, BITS(word, 21, 2) == 1);
    if (IS_FREQUENCY(word)) {
        set(it, ~0u, RD(word), span_same(FIELD(uint64_t, it->core->env, ENV_CNTFRQ)));
        return true;
    }
    return IS_NOTHING(word) || (IS_YIELD(word) && !it->core->scratch.polite);
}

static bool load_or_store(struct iteration *it, uint32_t word, struct span address, unsigned number) {
    unsigned log_size = word >> 30, kind = BITS(word, 22, 2);
    struct span value;
    if (!kind) return iteration_store(it, address, 1u << log_size, zero_or(it, number));
    if (kind == 3 && log_size > 1) return false; /* PRFM is one */
    if (kind == 2 && log_size > 2) return false;
    if (!iteration_load(it, address, 1u << log_size, &value)) return false;
    if (kind > 1) value = span_low_signed(value, 8u << log_size);
    set(it, kind == 3 ? 0 : ~0u, number, value);
    return true;
}

/* LDP, STP and LDPSW; with write-back the base is another register. */
static bool pair(struct iteration *it, uint32_t word) {
    unsigned kind = BITS(word, 23, 2), size = IS_64(word) ? 8 : 4;
    bool loads = BITS(word, 22, 1), sign = BITS(word, 30, 1), writes_back = kind & 1;
    bool base_too = writes_back && RN(word) != STACK && (RD(word) == RN(word) || RT2(word) == RN(word));
    if (!kind || (sign && (!loads || IS_64(word))) || base_too) return false;
    struct span base = iteration_register(it, RN(word)), moved = span_add(base, span_same((uint64_t)(SIGNED(word, 15, 7) * size)));
    struct span address = kind == 1 ? base : moved, other = span_add(address, span_same(size)), first, second;
    if (loads) {
        if (!iteration_load(it, address, size, &first) || !iteration_load(it, other, size, &second)) return false;
        set(it, ~0u, RD(word), sign ? span_low_signed(first, 32) : first);
        set(it, ~0u, RT2(word), sign ? span_low_signed(second, 32) : second);
    } else {
        first = zero_or(it, RD(word)), second = zero_or(it, RT2(word));
        if (!iteration_store(it, address, size, first) || !iteration_store(it, other, size, second)) return false;
    }
    if (writes_back) iteration_set_register(it, RN(word), moved);
    return true;
}

static bool single(struct iteration *it, uint32_t word) {
    struct span base = iteration_register(it, RN(word));
    if (BITS(word, 24, 1)) {
        uint64_t offset = (uint64_t)BITS(word, 10, 12) << (word >> 30);
        return load_or_store(it, word, span_add(base, span_same(offset)), RD(word));
    }
    if (BITS(word, 21, 1)) {
        unsigned option = BITS(word, 13, 3), by = BITS(word, 12, 1) ? word >> 30 : 0;
        if (BITS(word, 10, 2) != 2 || !(option & 2)) return false;
        return load_or_store(it, word, span_add(base, extended(zero_or(it, RM(word)), option, by)), RD(word));
    }
    unsigned kind = BITS(word, 10, 2);
    struct span moved = span_add(base, span_same((uint64_t)SIGNED(word, 12, 9)));
    if (kind == 2 || (kind && RD(word) == RN(word) && RN(word) != STACK)) return false;
    if (!load_or_store(it, word, kind == 1 ? base : moved, RD(word))) return false;
    if (kind) iteration_set_register(it, RN(word), moved);
    return true;
}

static bool access_memory(struct iteration *it, uint32_t word) {
    if ((word & 0x3e000000) == 0x28000000) return pair(it, word);
    if ((word & 0x3e000000) == 0x38000000) return single(it, word);
    if ((word & 0xbf000000) != 0x18000000) return false; /* LDR (literal) */
    struct span value;
    unsigned size = BITS(word, 30, 1) ? 8 : 4;
    if (!iteration_load(it, span_same(it->pc + (uint64_t)(SIGNED(word, 5, 19) * 4)), size, &value)) return false;
    set(it, ~0u, RD(word), value);
    return true;
}

static bool execute(struct iteration *it, uint32_t word) {
    switch (BITS(word, 25, 4)) {
    case 8:
    case 9: return immediate(it, word);
    case 10:
    case 11: return branch(it, word);
    case 4:
    case 12: return access_memory(it, word);
    case 5:
    case 13: return by_registers(it, word);
    default: return false;
    }
}

bool arch_follow(struct iteration *it) {
    uint32_t word;
    if (!iteration_fetch(it, it->pc, 4, &word) || !execute(it, word)) return false;
    it->pc += 4;
    return true;
}

static uint8_t flags_now(const struct core *core) {
    const uint8_t *env = core->env;
    uint8_t n_and_z = (FIELD(uint32_t, env, ENV_NF) >> 31 ? N : 0) | (FIELD(uint32_t, env, ENV_ZF) ? 0 : Z);
    return n_and_z | (FIELD(uint32_t, env, ENV_CF) ? C : 0) | (FIELD(uint32_t, env, ENV_VF) >> 31 ? V : 0);
}

bool arch_follow_counter(struct iteration *it) {
    const uint8_t *env = it->core->env;
    uint32_t flags = FIELD(uint32_t, env, ENV_HFLAGS), word;
    if (!(flags & FLAG_A64) || flags & (FLAG_STEP | FLAG_BIG_ENDIAN)) return false;
    it->mmu_index = flags >> FLAG_MMU_INDEX_SHIFT & 15;
    it->arch = (struct arch_iteration){.first = flags_now(it->core), .last = flags_now(it->core), .known = ALL_KNOWN};
    if (it->mmu_index >= ARCH_MMU_INDEXES || !iteration_fetch(it, it->pc, 4, &word) || !IS_COUNTER(word)) return false;
    set(it, ~0u, RD(word), it->counter);
    it->pc += 4;
    return true;
}

bool arch_followed(const struct iteration *it) {
    uint8_t before = flags_now(it->core);
    bool same = it->arch.first == before && it->arch.last == before && it->arch.known == ALL_KNOWN;
    return !it->arch.read || !it->arch.written || same;
}

void arch_follow_end(const struct iteration *it) {
    uint8_t *env = it->core->env, nzcv = it->arch.last;
    if (!it->arch.written) return;
    FIELD(uint32_t, env, ENV_NF) = nzcv & N ? 1u << 31 : 0;
    FIELD(uint32_t, env, ENV_ZF) = !(nzcv & Z);
    FIELD(uint32_t, env, ENV_CF) = !!(nzcv & C);
    FIELD(uint32_t, env, ENV_VF) = nzcv & V ? 1u << 31 : 0;
}
