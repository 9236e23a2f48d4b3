/* Of smp.c: what is added to, exchanged and locked with, and by which instructions. */

static bool has_lse;

/* Each on a cache line of its own. */
static struct {
    _Alignas(64) uint64_t value;
} llsc, swapped, spin, locked, ldadd, cas, swp, peterson, least;

static uint64_t taken[MAX_CPUS], swp_taken[MAX_CPUS];

static void add_llsc(void) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t value;
        uint32_t failed;
        __asm__ volatile("1: ldxr %0, [%2]\n\tadd %0, %0, #1\n\tstxr %w1, %0, [%2]\n\tcbnz %w1, 1b"
                         : "=&r"(value), "=&r"(failed)
                         : "r"(&llsc)
                         : "memory");
    }
}

/* LDXP/STXP: the low word counts, the high word must stay its complement. */
static struct {
    _Alignas(16) uint64_t low, high;
} both;
static uint64_t torn[MAX_CPUS];
static void add_pair(unsigned cpu) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t low, high;
        uint32_t failed;
        __asm__ volatile(
            "1: ldaxp %0, %1, [%3]\n\tadd %0, %0, #1\n\tsub %1, %1, #1\n\tstlxp %w2, %0, %1, [%3]\n\tcbnz %w2, 1b"
            : "=&r"(low), "=&r"(high), "=&r"(failed)
            : "r"(&both)
            : "memory");
        if (low != ~high) torn[cpu]++;
    }
}

/* Exchange: each vCPU puts tokens in and adds up what it takes out; nothing may vanish or come twice. */
static void exchange_llsc(unsigned cpu) {
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        uint64_t out;
        uint32_t failed;
        __asm__ volatile("1: ldaxr %0, [%2]\n\tstlxr %w1, %3, [%2]\n\tcbnz %w1, 1b"
                         : "=&r"(out), "=&r"(failed)
                         : "r"(&swapped), "r"(i)
                         : "memory");
        taken[cpu] += out;
    }
}

static void add_spinlock(void) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t was;
        __asm__ volatile("1: ldaxr %w0, [%1]\n\tcbnz %w0, 1b\n\tstxr %w0, %w2, [%1]\n\tcbnz %w0, 1b"
                         : "=&r"(was)
                         : "r"(&spin), "r"(1)
                         : "memory");
        volatile uint64_t *counter = &locked.value;
        *counter = *counter + 1;
        __asm__ volatile("stlr wzr, [%0]" : : "r"(&spin) : "memory");
    }
}

static void add_lse(void) {
    for (unsigned i = 0; i < ROUNDS; i++)
        __asm__ volatile(".arch_extension lse\n\tstadd %1, [%0]" : : "r"(&ldadd), "r"(1ull) : "memory");
}

static void add_cas(void) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t seen, expected;
        do {
            seen = expected = LOAD(&cas.value);
            __asm__ volatile(".arch_extension lse\n\tcasal %0, %2, [%1]"
                             : "+r"(seen)
                             : "r"(&cas), "r"(expected + 1)
                             : "memory");
        } while (seen != expected);
    }
}

static void exchange_lse(unsigned cpu) {
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        uint64_t out;
        __asm__ volatile(".arch_extension lse\n\tswpal %2, %0, [%1]" : "=r"(out) : "r"(&swp), "r"(i) : "memory");
        swp_taken[cpu] += out;
    }
}

/* Signed minimum: vCPU c tries the numbers -(c + 1), -(c + 1) - cpus, ...; the least of all must stay. */
static void minimum_lse(unsigned cpu) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        int64_t mine = -(int64_t)(cpu + 1 + (uint64_t)i * cpus);
        __asm__ volatile(".arch_extension lse\n\tstsmin %1, [%0]" : : "r"(&least), "r"(mine) : "memory");
    }
}

#define PETERSON "stlr/ldar Peterson"

#define EXCLUSIVES(cpu, all, tokens)                                                     \
    PHASE(add_llsc());                                                                   \
    if (cpu == 0) report("ldxr/stxr add", all, llsc.value);                              \
    PHASE(add_pair(cpu));                                                                \
    if (cpu == 0) report("ldaxp/stlxp add", all, sum(torn) ? sum(torn) : both.low);      \
    PHASE(exchange_llsc(cpu));                                                           \
    if (cpu == 0) report("ldaxr/stlxr exchange", tokens, sum(taken) + swapped.value);    \
    PHASE(add_spinlock())

#define ATOMICS(cpu, all, tokens)                                                        \
    if (!has_lse) return;                                                                \
    PHASE(add_lse());                                                                    \
    if (cpu == 0) report("LSE stadd", all, ldadd.value);                                 \
    PHASE(add_cas());                                                                    \
    if (cpu == 0) report("LSE casal", all, cas.value);                                   \
    PHASE(exchange_lse(cpu));                                                            \
    if (cpu == 0) report("LSE swpal", tokens, sum(swp_taken) + swp.value);               \
    PHASE(minimum_lse(cpu));                                                             \
    if (cpu == 0) report("LSE stsmin", -all, least.value)

static void prepare(void) {
    has_lse = (READ_REGISTER("id_aa64isar0_el1") >> 20 & 15) >= 2;
    both.high = ~0ull;
}

static void tell(uint64_t count) { print_line("smp: %u vCPUs, LSE %s", count, has_lse ? "yes" : "no"); }

/* Of a store-release and a load-acquire these are as they are. */
static inline void stores_before_loads(void) {}
