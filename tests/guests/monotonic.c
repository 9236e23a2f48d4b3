/*
 * A Linux program without a library: threads, each on a CPU of its own, hand readings of CLOCK_MONOTONIC to each other
 * through memory in a ring, and count those that are ahead of what they read themselves. Linux promises that there are
 * none (clock_gettime(2)). Readings are made in turn by the vDSO, without privileges, and by the kernel.
 *
 *     monotonic [hand-overs]
 */
#include <stdbool.h>

#include "linux.h"

#define MAX_THREADS 8
#define STACK 0x4000
#define PATIENCE 1000u /* looks at what is to come before the CPU is lent to somebody else */

enum { SYS_GETTIME = 113, SYS_WAIT = 260 };
enum { SYS_SETAFFINITY = 122, SYS_GETAFFINITY = 123, SYS_YIELD = 124 };
enum { CLONE_VM = 0x100, CLONE_FS = 0x200, CLONE_FILES = 0x400, SIGCHLD = 17 };
enum { CLOCK_MONOTONIC = 1, AT_SYSINFO_EHDR = 33, PT_LOAD = 1, PT_DYNAMIC = 2, DT_STRTAB = 5, DT_SYMTAB = 6 };

struct timespec {
    int64_t seconds, nanoseconds;
};
typedef long get_time(long clock, struct timespec *time);

static struct {
    _Alignas(4096) uint64_t sequence;
    uint64_t reading;
} pages[MAX_THREADS];
static struct {
    _Alignas(64) uint64_t backward;
    uint64_t worst;
} results[MAX_THREADS];
static _Alignas(16) char stacks[MAX_THREADS][STACK];
static unsigned cpus[MAX_THREADS], threads;
static uint64_t masks[MAX_THREADS][16]; /* sets of CPUs, as the kernel takes them */
static uint64_t count = 40000;
static get_time *from_vdso;

/* Program headers and dynamic section of the vDSO (System V ABI, chapter 5); its symbols end where the names begin. */
static get_time *find_in_vdso(const char *image) {
    const char *header = image + *(const uint64_t *)(image + 32), *names = NULL, *symbols = NULL;
    int64_t bias = 0;
    const uint64_t *dynamic = NULL;
    for (unsigned n = *(const uint16_t *)(image + 56); n; n--, header += 56) {
        uint32_t type = *(const uint32_t *)header;
        const uint64_t *fields = (const uint64_t *)header;
        if (type == PT_LOAD) bias = (intptr_t)image + (int64_t)fields[1] - (int64_t)fields[2];
        if (type == PT_DYNAMIC) dynamic = (const uint64_t *)(image + fields[1]);
    }
    for (; dynamic && *dynamic; dynamic += 2) {
        if (dynamic[0] == DT_STRTAB) names = (const char *)(bias + (int64_t)dynamic[1]);
        if (dynamic[0] == DT_SYMTAB) symbols = (const char *)(bias + (int64_t)dynamic[1]);
    }
    for (; symbols && symbols < names; symbols += 24) {
        static const char wanted[] = VDSO_GETTIME;
        const char *name = names + *(const uint32_t *)symbols;
        size_t n = 0;
        while (n < sizeof wanted && name[n] == wanted[n]) n++;
        if (n == sizeof wanted) return (get_time *)(bias + *(const int64_t *)(symbols + 8));
    }
    return NULL;
}

static uint64_t now(bool by_vdso) {
    struct timespec time;
    if (by_vdso)
        from_vdso(CLOCK_MONOTONIC, &time);
    else
        call(SYS_GETTIME, CLOCK_MONOTONIC, (long)&time, 0, 0, 0, 0);
    return (uint64_t)time.seconds * 1000000000u + (uint64_t)time.nanoseconds;
}

static void go(unsigned thread) {
    uint64_t *mask = masks[thread];
    mask[cpus[thread] / 64] = 1ull << cpus[thread] % 64;
    if (call(SYS_SETAFFINITY, 0, sizeof masks[0], (long)mask, 0, 0, 0)) {
        say("monotonic: FAILED to move to a CPU\n");
        leave(1);
    }
    unsigned next = (thread + 1) % threads;
    for (uint64_t hop = thread; hop < count; hop += threads) {
        for (unsigned tries = 0; __atomic_load_n(&pages[thread].sequence, __ATOMIC_ACQUIRE) != hop;)
            if (++tries % PATIENCE == 0)
                call(SYS_YIELD, 0, 0, 0, 0, 0, 0);
            else
                relax();
        uint64_t handed = pages[thread].reading, here = now(hop / threads & 1);
        if (here < handed) {
            results[thread].backward++;
            if (handed - here > results[thread].worst) results[thread].worst = handed - here;
        }
        pages[next].reading = now(hop / threads & 2);
        __atomic_store_n(&pages[next].sequence, hop + 1, __ATOMIC_RELEASE);
    }
}

static void start(unsigned thread) {
    clone_thread(CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, stacks[thread] + STACK, thread);
}
__attribute__((noreturn, used)) void thread_begins(unsigned thread) {
    go(thread);
    leave(0);
    __builtin_unreachable();
}

__attribute__((noreturn, used)) void begin(const uint64_t *stack) {
    static uint64_t mask[16];
    uint64_t arguments = stack[0];
    if (arguments > 1) count = number_of((const char *)stack[2]);
    const uint64_t *at = stack + 1 + arguments + 1;
    while (*at++) {} /* the environment */
    for (; at[0]; at += 2)
        if (at[0] == AT_SYSINFO_EHDR) from_vdso = find_in_vdso((const char *)at[1]);
    call(SYS_GETAFFINITY, 0, sizeof mask, (long)mask, 0, 0, 0);
    for (unsigned cpu = 0; cpu < 1024 && threads < MAX_THREADS; cpu++)
        if (mask[cpu / 64] >> cpu % 64 & 1) cpus[threads++] = cpu;
    if (threads < 2 || !from_vdso) {
        say("monotonic: FAILED: needs 2 CPUs and a vDSO\n");
        leave(1);
    }
    pages[0].reading = now(true);
    for (unsigned thread = 1; thread < threads; thread++) start(thread);
    go(0);
    for (unsigned thread = 1; thread < threads; thread++) call(SYS_WAIT, -1, 0, 0, 0, 0, 0);
    uint64_t backward = 0, worst = 0;
    for (unsigned thread = 0; thread < threads; thread++) {
        backward += results[thread].backward;
        if (results[thread].worst > worst) worst = results[thread].worst;
    }
    say("monotonic: "), say_number(threads), say(" CPUs, "), say_number(count), say(" readings handed over, ");
    say_number(backward), say(" backward, by "), say_number(worst), say(" ns at most\n");
    leave(backward ? 1 : 0);
    __builtin_unreachable();
}
