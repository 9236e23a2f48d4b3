/*
 * A reading of the counter that one CPU hands to another is never ahead of the other's own counter: there is one system
 * counter, and each CPU's view of it only grows (Arm ARM D11.1; RISC-V unprivileged, 7.1: `time` is that of all harts).
 * The CPUs of one VM, or of two that share memory, hand readings of their counters over in many ways; who gets one looks
 * at its own. Armv8 has two counters, a virtual and a physical one; on RISC-V both are `time`.
 */
#include "guest.h"
#include "joint.h"
#include "parameters.h"

enum {
    EXCLUSIVE,   /* in memory under a lock: LDAXR, STXR; LR, SC */
    LSE,         /* CASA, SWPL; AMOs; the reading is in another page than the lock */
    RING,        /* each CPU has a page in which the one before it leaves a reading */
    STORE_FIRST, /* the same; who waits stores into that page before it looks */
    RELAY,       /* the same; those between the first and the last pass on what they got, and look at no counter */
    BLOCK,       /* the same; read and stored within one straight line, in the middle of which is another CPU's page */
    TIMER,       /* the same, of the moment for which a timer was set that has fired */
    SGI,         /* nothing in memory: what was read before it was sent, and when it came, is compared at the end */
    NOTIFY,      /* the same with notifications between two VMs */
    PRIORITY,    /* the same with a store to a register that is another CPU's */
    CPU_ON,      /* the argument of who is turned on */
    WAYS
};

#define LOG (80000 + MAX_CPUS * 256)
#define SOFTWARE 1 /* SGI */
#define QUIET 8    /* one that nobody enables */

struct counters {
    uint64_t virtual, physical;
};
struct page {
    _Alignas(4096) uint64_t sequence;
    struct counters value;
    uint64_t touched, owner;
    uint32_t lock;
};
struct result { /* of one CPU, in a page of its own */
    _Alignas(4096) uint64_t handed;
    uint64_t virtual, physical, own, early, worst;
    struct counters last;
};
struct arena {
    struct joint joint;
    struct page pages[MAX_CPUS], lock, value, contested;
    struct result results[MAX_CPUS];
    _Alignas(4096) struct counters sent[LOG], received[LOG]; /* whole pages for each CPU */
};

static struct arena own;
static struct arena *arena;
static uint64_t way, count = 1000, pace = 200, polite = 1, sleep = 1;
static uint32_t begun, came[MAX_CPUS * 16], fired[MAX_CPUS * 16]; /* a cache line each */
static uint64_t seeds[MAX_CPUS * 8];

struct turned_on {
    _Alignas(4096) uint64_t handed;
    uint64_t virtual, worst, last;
};
extern struct turned_on turned_on[MAX_CPUS]; /* written with translation off */
void entry(void);

#include "handover.h"

static void wait_a_little(void) {
    if (polite) yield();
}

static uint64_t random_below(uint64_t bound) {
    uint64_t *seed = &seeds[this_cpu() * 8], x = *seed ? *seed : 88172645463325252ull + joint_number();
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    *seed = x;
    return bound ? (x >> 11) % bound : 0;
}

static void work(void) {
    for (uint64_t n = random_below(pace); n; n--) __asm__ volatile("");
}

/* `early`: what was handed over has not come yet by this CPU's counter. */
static void compare(struct result *result, struct counters handed, struct counters here) {
    result->handed++;
    result->virtual += here.virtual < handed.virtual;
    result->physical += here.physical < handed.physical;
    if (here.virtual < handed.virtual && handed.virtual - here.virtual > result->worst)
        result->worst = handed.virtual - here.virtual;
}

static struct counters look(struct result *result) {
    struct counters here = now();
    result->own += here.virtual < result->last.virtual || here.physical < result->last.physical;
    return result->last = here;
}

static void check(unsigned cpu, struct counters handed) {
    struct result *result = &arena->results[cpu];
    compare(result, handed, look(result));
}

/* Under a lock */

static void take_turns(unsigned cpu) {
    struct page *lock = &arena->lock, *page = way == LSE ? &arena->value : lock;
    for (;;) {
        bool held = false;
        while (LOAD(&page->sequence) < count && !held) {
            held = LOAD(&page->owner) != cpu + 1 && try_lock(&lock->lock);
            if (!held) wait_a_little();
        }
        if (!held) break;
        if (page->sequence < count) {
            if (page->sequence) check(cpu, page->value);
            work();
            page->value = look(&arena->results[cpu]);
            STORE(&page->owner, cpu + 1);
            STORE(&page->sequence, page->sequence + 1);
        }
        unlock(&lock->lock);
    }
}

/* From page to page */

static void take(struct page *page, uint64_t sequence) {
    for (uint64_t tries = 1;; tries++) {
        if (way == STORE_FIRST) *(volatile uint64_t *)&page->touched = tries;
        if (way == BLOCK) *(volatile uint64_t *)&arena->contested.touched = tries;
        if ((way != BLOCK || tries % 16 == 0) && LOAD(&page->sequence) == sequence) return;
        wait_a_little();
    }
}

static void give(struct page *page, uint64_t sequence, struct counters value) {
    page->value = value;
    STORE(&page->sequence, sequence);
}

/* Sets the timer for a moment, waits until it has fired, and returns that moment. */
static struct counters let_a_timer_fire(unsigned cpu, bool interrupt) {
    struct result *result = &arena->results[cpu];
    struct counters moment = look(result);
    moment.virtual += 1 + random_below(pace);
    uint32_t *flag = &fired[this_cpu() * 16];
    STORE(flag, 0);
    if (interrupt) {
        timer_set(moment.virtual);
        if (sleep) SLEEP_UNTIL(LOAD(flag));
        unmask_interrupts();
        while (!LOAD(flag)) wait_a_little();
    } else {
        timer_set_quietly(moment.virtual);
        while (!timer_has_fired()) wait_a_little();
        timer_end_quietly();
    }
    result->early += look(result).virtual < moment.virtual;
    return moment;
}

/* A timer that is set for a moment which has been stands fired at once. */
static void set_for_the_past(unsigned cpu, uint64_t moment) {
    timer_set_quietly(moment);
    arena->results[cpu].early += !timer_has_fired();
    timer_end_quietly();
}

static void pass_on(unsigned cpu) {
    unsigned cpus = joint_cpus();
    struct page *mine = &arena->pages[cpu], *next = &arena->pages[(cpu + 1) % cpus];
    if (cpu == 0) give(mine, 1, look(&arena->results[0]));
    for (uint64_t hop = cpu; hop < count; hop += cpus) {
        take(mine, hop + 1);
        struct counters value = mine->value;
        if (way == RELAY && cpu && cpu != cpus - 1)
            arena->results[cpu].handed++;
        else
            check(cpu, value);
        if (way == TIMER) set_for_the_past(cpu, value.virtual);
        work();
        if (way == BLOCK) {
            give_in_one_block(next, hop + 2);
            continue;
        }
        if (way == TIMER)
            value = let_a_timer_fire(cpu, random_below(2));
        else if (way != RELAY || cpu == 0)
            value = look(&arena->results[cpu]);
        give(next, hop + 2, value);
    }
}

/* By something that comes, and nothing else */

static unsigned send_to; /* by number; an SGI or a store stays within the VM */

static void send(uint64_t n) {
    if (way == SGI)
        irqc_send(SOFTWARE, send_to);
    else if (way == NOTIFY)
        ipc_notify(0, 0);
    else
        TELL_BY_REGISTER(send_to, n % 31 + 1);
}

static uint64_t place(unsigned cpu, uint64_t n) {
    uint64_t each = (count / joint_cpus() + 255) / 256 * 256;
    return cpu * each + (n < each ? n : each - 1);
}

static void note(unsigned cpu) {
    uint32_t *mine = &came[this_cpu() * 16];
    arena->received[place(cpu, *mine)] = look(&arena->results[cpu]);
    STORE(mine, *mine + 1);
}

static void await(unsigned cpu, uint64_t n) {
    uint32_t *mine = &came[this_cpu() * 16];
    if (way == PRIORITY) {
        while (!IS_TOLD((n - 1) % 31 + 1)) wait_a_little();
        note(cpu);
    } else if (sleep) {
        SLEEP_UNTIL(LOAD(mine) >= n);
    } else {
        unmask_interrupts();
        while (LOAD(mine) < n) wait_a_little();
    }
}

static void ring_round(unsigned cpu) {
    unsigned cpus = joint_cpus();
    uint64_t rounds = count / cpus;
    if (way == NOTIFY) { /* what is left of those with which they met */
        uint64_t deadline = ticks() + ticks_per_second() / 1000;
        while (ticks() < deadline) yield();
        mask_interrupts();
        unmask_interrupts();
        STORE(&came[0], 0);
        joint_barrier();
    }
    for (uint64_t n = 0; n < rounds; n++) {
        if (cpu) await(cpu, n + 1);
        work();
        *(volatile uint64_t *)&arena->contested.touched = n; /* whose counter is ahead may be anybody's */
        arena->sent[place(cpu, n)] = look(&arena->results[cpu]);
        send_to = (cpu + 1) % cpus;
        send(n);
        if (!cpu) await(cpu, n + 1);
    }
    mask_interrupts();
    joint_barrier();
    for (unsigned from = 0; !cpu && from < cpus; from++)
        for (uint64_t n = 0; n < rounds; n++) {
            struct counters handed = arena->sent[place(from, n)], here = arena->received[place((from + 1) % cpus, n)];
            compare(&arena->results[from], handed, here);
        }
}

/* CPU_ON: who is turned on has the reading in x0, looks at its counter, and turns itself off again. */

struct turned_on turned_on[MAX_CPUS];

static void turn_on(void) {
    unsigned cpus = 1;
    while (cpus < MAX_CPUS && cpu_is_off(cpus)) cpus++;
    for (uint64_t n = 0; n < count; n++) {
        unsigned target = 1 + (unsigned)(n % (cpus - 1));
        while (!cpu_is_off(target)) wait_a_little();
        see(&turned_on[target]);
        check(0, (struct counters){turned_on[target].last, 0});
        work();
        cpu_on(target, entry, look(&arena->results[0]).virtual);
    }
    for (unsigned cpu = 1; cpu < cpus; cpu++) {
        while (!cpu_is_off(cpu)) wait_a_little();
        see(&turned_on[cpu]);
        arena->results[cpu].handed = turned_on[cpu].handed;
        arena->results[cpu].virtual = turned_on[cpu].virtual;
        arena->results[cpu].worst = turned_on[cpu].worst;
    }
}

void on_interrupt(unsigned intid) {
    if (intid == TIMER_INTID) {
        timer_off();
        STORE(&fired[this_cpu() * 16], 1);
    } else if (arena && (intid == SOFTWARE || way == NOTIFY)) {
        note(joint_number());
    }
}

static void go(unsigned cpu) {
    joint_barrier();
    if (way <= LSE)
        take_turns(cpu);
    else if (way <= TIMER)
        pass_on(cpu);
    else if (way <= PRIORITY)
        ring_round(cpu);
    else
        turn_on();
    joint_barrier();
}

static void listen(void) {
    irqc_init_cpu();
    irqc_enable_level(SOFTWARE);
    irqc_enable_level(TIMER_INTID);
}

void guest_secondary(unsigned cpu) {
    (void)cpu;
    listen();
    while (!LOAD(&begun)) yield();
    go(joint_number());
    cpu_off();
}

static void tell(void) {
    struct result all = {0};
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        struct result *one = &arena->results[cpu];
        all.handed += one->handed, all.virtual += one->virtual, all.physical += one->physical;
        all.own += one->own, all.early += one->early;
        if (one->worst > all.worst) all.worst = one->worst;
    }
    print_line("handover: %u handed over; backward: %u virtual, %u physical, %u one's own, by %u ticks at most; "
               "%u timers early", all.handed, all.virtual, all.physical, all.own, all.worst, all.early);
    bool wrong = all.virtual || all.physical || all.own || all.early;
    print_line("handover: %s", wrong ? "FAILED" : "never backward");
}

void guest_main(void) {
    const struct parameter known[] = {
        {"way", &way},     {"count", &count},   {"pace", &pace},       {"polite", &polite},
        {"sleep", &sleep}, {"vms", &joint_vms}, {"side", &joint_side},
    };
    parameters_read("handover", known, sizeof known / sizeof *known);
    irqc_init();
    listen();
    if (joint_vms == 2) irqc_enable(IPC_INTID);
    unsigned cpus = way == CPU_ON ? 1 : start_secondaries(MAX_CPUS / (unsigned)joint_vms);
    arena = joint_begin(&own, sizeof own, cpus);
    unsigned all = joint_cpus(), number = joint_number();
    if (way >= WAYS || (way != CPU_ON && all < 2) || count > 80000) {
        print_line("handover: needs 2 CPUs or more, and a way and a count that there are");
        power_off("handover");
    }
    if (number == 0) print_line("handover: way %u, %u CPUs of %u VMs", way, (uint64_t)all, joint_vms);
    STORE(&begun, 1);
    go(number);
    if (number == 0) tell();
    power_off("handover");
}
