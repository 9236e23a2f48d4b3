/* Of smp.c: what is added to, exchanged and locked with, and by which instructions. */

/* Each on a cache line of its own. */
static struct {
    _Alignas(64) uint64_t value;
} llsc, swapped, spin, locked, amoadd, cas, swp, bits, flips, peterson, least, most;
static struct {
    _Alignas(64) uint32_t words[2];
} narrow;
static uint64_t taken[MAX_CPUS], swp_taken[MAX_CPUS];

static void add_llsc(void) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t value, failed;
        __asm__ volatile("1: lr.d %0, (%2)\n\taddi %0, %0, 1\n\tsc.d %1, %0, (%2)\n\tbnez %1, 1b"
                         : "=&r"(value), "=&r"(failed)
                         : "r"(&llsc)
                         : "memory");
    }
}

/* Two words that are neighbours, each with LR and SC of its own: the upper one counts down. */
static void add_words(void) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t value, failed;
        __asm__ volatile(
            "1: lr.w.aq %0, (%2)\n\taddiw %0, %0, 1\n\tsc.w.rl %1, %0, (%2)\n\tbnez %1, 1b\n\t"
            "2: lr.w.aqrl %0, (%3)\n\taddiw %0, %0, -1\n\tsc.w.rl %1, %0, (%3)\n\tbnez %1, 2b"
            : "=&r"(value), "=&r"(failed)
            : "r"(&narrow.words[0]), "r"(&narrow.words[1])
            : "memory");
    }
}

/* Exchange: each vCPU puts tokens in and adds up what it takes out; nothing may vanish or come twice. */
static void exchange_llsc(unsigned cpu) {
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        uint64_t out, failed;
        __asm__ volatile("1: lr.d.aq %0, (%2)\n\tsc.d.rl %1, %3, (%2)\n\tbnez %1, 1b"
                         : "=&r"(out), "=&r"(failed)
                         : "r"(&swapped), "r"(i)
                         : "memory");
        taken[cpu] += out;
    }
}

static void add_spinlock(void) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t was;
        __asm__ volatile("1: lr.w.aq %0, (%1)\n\tbnez %0, 1b\n\tsc.w %0, %2, (%1)\n\tbnez %0, 1b"
                         : "=&r"(was)
                         : "r"(&spin), "r"(1)
                         : "memory");
        volatile uint64_t *counter = &locked.value;
        *counter = *counter + 1;
        __asm__ volatile("fence rw, w\n\tsw zero, 0(%0)" : : "r"(&spin) : "memory");
    }
}

static void add_amo(void) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        __asm__ volatile("amoadd.d zero, %1, (%0)" : : "r"(&amoadd), "r"(1ull) : "memory");
        __asm__ volatile("amoadd.w.aqrl zero, %1, (%0)" : : "r"(&narrow.words[1]), "r"(1ull) : "memory");
    }
}

/* As a compare and swap is made of LR and SC. */
static void add_cas(void) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t expected, seen, failed;
        do {
            expected = LOAD(&cas.value);
            __asm__ volatile("1: lr.d.aqrl %0, (%2)\n\tbne %0, %3, 2f\n\tsc.d.rl %1, %4, (%2)\n\tbnez %1, 1b\n2:"
                             : "=&r"(seen), "=&r"(failed)
                             : "r"(&cas), "r"(expected), "r"(expected + 1)
                             : "memory");
        } while (seen != expected);
    }
}

static void exchange_amo(unsigned cpu) {
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        uint64_t out;
        __asm__ volatile("amoswap.d.aqrl %0, %2, (%1)" : "=r"(out) : "r"(&swp), "r"(i) : "memory");
        swp_taken[cpu] += out;
    }
}

/*
 * vCPU c tries the numbers -(c + 1), -(c + 1) - cpus, ..., and their negatives; the least and the most of all must stay. It sets and
 * clears its own bit, and flips that of another word an odd number of times.
 */
static void extremes_amo(unsigned cpu) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        int64_t mine = -(int64_t)(cpu + 1 + (uint64_t)i * cpus);
        __asm__ volatile("amomin.d zero, %1, (%0)" : : "r"(&least), "r"(mine) : "memory");
        __asm__ volatile("amomaxu.d zero, %1, (%0)" : : "r"(&most), "r"(-mine) : "memory");
    }
}
static void bits_amo(unsigned cpu) {
    uint64_t mine = 1ull << cpu;
    for (unsigned i = 0; i < ROUNDS; i++) {
        __asm__ volatile("amoand.d zero, %1, (%0)" : : "r"(&bits), "r"(~mine) : "memory");
        __asm__ volatile("amoor.d zero, %1, (%0)" : : "r"(&bits), "r"(mine) : "memory");
        __asm__ volatile("amoxor.d zero, %1, (%0)" : : "r"(&flips), "r"(mine) : "memory");
    }
    __asm__ volatile("amoxor.d zero, %1, (%0)" : : "r"(&flips), "r"(mine) : "memory");
}

#define PETERSON "fences Peterson"

#define EXCLUSIVES(cpu, all, tokens)                                                      \
    PHASE(add_llsc());                                                                    \
    if (cpu == 0) report("lr/sc.d add", all, llsc.value);                                 \
    PHASE(add_words());                                                                   \
    if (cpu == 0) report("lr/sc.w add", all - (all << 32), narrow.words[0] | (uint64_t)narrow.words[1] << 32);    \
    PHASE(exchange_llsc(cpu));                                                            \
    if (cpu == 0) report("lr/sc exchange", tokens, sum(taken) + swapped.value);           \
    PHASE(add_spinlock());                                                                \
    if (cpu == 0) report("spinlock", all, locked.value)

#define ATOMICS(cpu, all, tokens)                                                         \
    PHASE(add_amo());                                                                     \
    if (cpu == 0) report("amoadd.d", all, amoadd.value);                                  \
    if (cpu == 0) report("amoadd.w", 0, narrow.words[1]);                                 \
    PHASE(add_cas());                                                                     \
    if (cpu == 0) report("lr/sc compare and swap", all, cas.value);                       \
    PHASE(exchange_amo(cpu));                                                             \
    if (cpu == 0) report("amoswap", tokens, sum(swp_taken) + swp.value);                  \
    PHASE(extremes_amo(cpu));                                                             \
    if (cpu == 0) report("amomin", -all, least.value);                                    \
    if (cpu == 0) report("amomaxu", all, most.value);                                     \
    PHASE(bits_amo(cpu));                                                                 \
    if (cpu == 0) report("amoand, amoor", (1ull << cpus) - 1, bits.value);                \
    if (cpu == 0) report("amoxor", (1ull << cpus) - 1, flips.value)

static void prepare(void) {}
static void tell(uint64_t count) { print_line("smp: %u vCPUs", count); }

static inline void stores_before_loads(void) { __asm__ volatile("fence w, r" : : : "memory"); }
