/*
 * Litmus tests of the memory model: two vCPUs, or four, run a few instructions each on two words, thousands of times, and
 * the outcomes that the architecture forbids are counted; the names are those of the litmus literature. What it allows
 * must be seen where vCPUs run in parallel, or the others would tell nothing: these tests are the control.
 */
#include "barrier.h"
#include "guest.h"
#include "parameters.h"

#define INSTANCES 256u /* between two barriers */
#define THREADS 4
#define PATIENCE 2000u /* looks at the other vCPUs before this one yields */

struct cell {
    _Alignas(64) volatile uint64_t x;
    _Alignas(64) volatile uint64_t y;
    _Alignas(64) uint64_t result[THREADS];
};
typedef uint64_t thread(volatile uint64_t *x, volatile uint64_t *y);

#include "litmus.h"

#define NEW_OLD 0x100u /* first a 1, then a 0 */

static bool both_old(const struct cell *c) { return !c->result[0] && !c->result[1]; }
static bool both_new(const struct cell *c) { return c->result[0] == 1 && c->result[1] == 1; }
static bool new_then_old(const struct cell *c) { return c->result[1] == NEW_OLD; }
static bool lost_r(const struct cell *c) { return c->y == 2 && !c->result[1]; }
static bool lost_s(const struct cell *c) { return c->x == 2 && c->result[1] == 1; }
static bool both_first(const struct cell *c) { return c->x == 1 && c->y == 1; }
static bool two_orders(const struct cell *c) { return c->result[2] == NEW_OLD && c->result[3] == NEW_OLD; }

static const struct shape {
    const char *name;
    thread *threads[THREADS];
    bool (*weak)(const struct cell *cell);
    bool control; /* allowed */
} shapes[] = {
    SHAPES_OF_ARCHITECTURE
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static struct cell cells[INSTANCES];
static struct {
    _Alignas(64) uint32_t reached;
} at[THREADS];
static uint64_t rounds = 10000, control = 200, failed, done; /* the control: so many times `rounds` at most */
static uint32_t started;
static unsigned cpus;

/*
 * Which thread of `count` this vCPU is for 256 instances, `count` or more for none. Every two take their turn, since a host
 * with fewer CPUs than vCPUs may leave any two of them on one for as long as it likes: these see nothing weak.
 */
static unsigned thread_of(unsigned cpu, unsigned count, uint64_t turn) {
    unsigned from_first = (unsigned)(cpu + cpus - turn % cpus) % cpus;
    if (count > 2 || !from_first) return from_first;
    unsigned second = 1 + (unsigned)(turn / cpus % (cpus - 1));
    return from_first == second ? 1 : count;
}

/* Until all that take part have come as far: they begin the same instance at about the same time. */
static void meet_at(unsigned self, unsigned count, uint32_t place) {
    STORE(&at[self].reached, place);
    for (unsigned other = 0; other < count; other++)
        for (unsigned looks = 0; (int32_t)(LOAD(&at[other].reached) - place) < 0; looks++)
            if (looks > PATIENCE) yield();
}

static uint64_t run(const struct shape *shape, unsigned cpu, unsigned count, uint64_t most) {
    static uint64_t weak;
    static uint32_t place;
    for (uint64_t round = 0; round < most; round += INSTANCES) {
        if (cpu == 0) {
            if (!round) weak = 0;
            for (unsigned i = 0; i < INSTANCES; i++) cells[i].x = cells[i].y = 0;
        }
        barrier(cpus);
        uint32_t base = place;
        unsigned self = thread_of(cpu, count, round / INSTANCES);
        for (unsigned i = 0; self < count && i < INSTANCES; i++) {
            meet_at(self, count, base + i + 1);
            for (unsigned delay = (i * 7 + self * 3) % 5; delay; delay--) __asm__ volatile("nop");
            cells[i].result[self] = shape->threads[self](&cells[i].x, &cells[i].y);
        }
        barrier(cpus);
        if (cpu == 0) {
            for (unsigned i = 0; i < INSTANCES; i++) weak += shape->weak(&cells[i]);
            place += INSTANCES;
            done = round + INSTANCES;
        }
        barrier(cpus);
        if (shape->control && weak && round + INSTANCES >= rounds) break;
    }
    return weak;
}

static void work(unsigned cpu) {
    for (unsigned n = 0; n < SHAPES; n++) {
        const struct shape *shape = &shapes[n];
        unsigned count = shape->threads[2] ? 4 : 2;
        if (count > cpus) continue;
        uint64_t weak = run(shape, cpu, count, shape->control ? rounds * control : rounds);
        barrier(cpus);
        if (cpu) continue;
        print_line("litmus: %s: %u of %u%s", shape->name, weak, done, shape->control ? ", allowed" : weak ? ", FORBIDDEN" : "");
        if (!shape->control) failed += weak;
    }
}

void guest_secondary(unsigned cpu) {
    while (!LOAD(&started)) yield();
    work(cpu);
    cpu_off();
}

void guest_main(void) {
    const struct parameter known[] = {{"rounds", &rounds}, {"control", &control}};
    parameters_read("litmus", known, 2);
    cpus = start_secondaries(THREADS);
    print_line("litmus: %u vCPUs, %u rounds", (uint64_t)cpus, rounds);
    STORE(&started, 1);
    work(0);
    print_line("litmus: %s", failed ? "FAILED" : "nothing forbidden");
    power_off("litmus");
}
