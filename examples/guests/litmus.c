/*
 * Litmus tests of the memory model: two vCPUs, or four, run a few instructions each on two words, thousands of times, and
 * the outcomes that the architecture forbids are counted (Arm ARM B2.3; the names are those of the litmus literature).
 * Without order between a store and a later load the outcome is allowed, and must be seen where vCPUs run in parallel,
 * or the others would tell nothing: SB and R without a barrier are the control.
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

#define STORE_TO(place, value) "mov x9, #" #value "\n\tstr x9, [%" #place "]\n\t"
#define RELEASE_TO(place, value) "mov x9, #" #value "\n\tstlr x9, [%" #place "]\n\t"
#define LOAD_FROM(place) "ldr x10, [%" #place "]\n\torr %0, x10, %0, lsl #8\n\t"
#define ACQUIRE_FROM(place) "ldar x10, [%" #place "]\n\torr %0, x10, %0, lsl #8\n\t"
/* x is %1, y is %2; what is loaded first is in the upper byte. */
#define THREAD(name, code)                                                                          \
    static uint64_t name(volatile uint64_t *x, volatile uint64_t *y) {                             \
        uint64_t loaded = 0;                                                                       \
        __asm__ volatile(code : "+&r"(loaded) : "r"(x), "r"(y) : "x9", "x10", "memory");         \
        return loaded;                                                                             \
    }
#define DMB "dmb ish\n\t"
#define DSB "dsb ish\n\t"
#define DMB_ST "dmb ishst\n\t"
#define DMB_LD "dmb ishld\n\t"

THREAD(x_then_load_y, STORE_TO(1, 1) LOAD_FROM(2))
THREAD(y_then_load_x, STORE_TO(2, 1) LOAD_FROM(1))
THREAD(x_dmb_load_y, STORE_TO(1, 1) DMB LOAD_FROM(2))
THREAD(y_dmb_load_x, STORE_TO(2, 1) DMB LOAD_FROM(1))
THREAD(x_dsb_load_y, STORE_TO(1, 1) DSB LOAD_FROM(2))
THREAD(y_dsb_load_x, STORE_TO(2, 1) DSB LOAD_FROM(1))
THREAD(release_x_acquire_y, RELEASE_TO(1, 1) ACQUIRE_FROM(2))
THREAD(release_y_acquire_x, RELEASE_TO(2, 1) ACQUIRE_FROM(1))
THREAD(x_dmb_y, STORE_TO(1, 1) DMB STORE_TO(2, 1))
THREAD(x_dmbst_y, STORE_TO(1, 1) DMB_ST STORE_TO(2, 1))
THREAD(x_release_y, STORE_TO(1, 1) RELEASE_TO(2, 1))
THREAD(load_y_dmb_load_x, LOAD_FROM(2) DMB LOAD_FROM(1))
THREAD(load_y_dmbld_load_x, LOAD_FROM(2) DMB_LD LOAD_FROM(1))
THREAD(acquire_y_load_x, ACQUIRE_FROM(2) LOAD_FROM(1))
THREAD(load_x_dmb_y, LOAD_FROM(1) DMB STORE_TO(2, 1))
THREAD(load_y_dmb_x, LOAD_FROM(2) DMB STORE_TO(1, 1))
THREAD(acquire_x_release_y, ACQUIRE_FROM(1) RELEASE_TO(2, 1))
THREAD(acquire_y_release_x, ACQUIRE_FROM(2) RELEASE_TO(1, 1))
THREAD(x_then_y, STORE_TO(1, 1) STORE_TO(2, 1))
THREAD(y2_then_load_x, STORE_TO(2, 2) LOAD_FROM(1))
THREAD(y2_dmb_load_x, STORE_TO(2, 2) DMB LOAD_FROM(1))
THREAD(x2_dmb_y, STORE_TO(1, 2) DMB STORE_TO(2, 1))
THREAD(x2_release_y, STORE_TO(1, 2) RELEASE_TO(2, 1))
THREAD(acquire_y_x, ACQUIRE_FROM(2) STORE_TO(1, 1))
THREAD(x_dmb_y2, STORE_TO(1, 1) DMB STORE_TO(2, 2))
THREAD(y_dmb_x2, STORE_TO(2, 1) DMB STORE_TO(1, 2))
THREAD(x_dmbst_y2, STORE_TO(1, 1) DMB_ST STORE_TO(2, 2))
THREAD(y_dmbst_x2, STORE_TO(2, 1) DMB_ST STORE_TO(1, 2))
THREAD(x_release_y2, STORE_TO(1, 1) RELEASE_TO(2, 2))
THREAD(y_release_x2, STORE_TO(2, 1) RELEASE_TO(1, 2))
THREAD(only_x, STORE_TO(1, 1))
THREAD(only_y, STORE_TO(2, 1))
THREAD(load_x_twice, LOAD_FROM(1) LOAD_FROM(1))
THREAD(acquire_x_acquire_y, ACQUIRE_FROM(1) ACQUIRE_FROM(2))
THREAD(acquire_y_acquire_x, ACQUIRE_FROM(2) ACQUIRE_FROM(1))
THREAD(load_x_dmb_load_y, LOAD_FROM(1) DMB LOAD_FROM(2))

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
    {"SB", {x_then_load_y, y_then_load_x}, both_old, true},
    {"SB+dmbs", {x_dmb_load_y, y_dmb_load_x}, both_old, false},
    {"SB+dsbs", {x_dsb_load_y, y_dsb_load_x}, both_old, false},
    {"SB+rel-acqs", {release_x_acquire_y, release_y_acquire_x}, both_old, false},
    {"MP+dmbs", {x_dmb_y, load_y_dmb_load_x}, new_then_old, false},
    {"MP+dmb.st+dmb.ld", {x_dmbst_y, load_y_dmbld_load_x}, new_then_old, false},
    {"MP+rel+acq", {x_release_y, acquire_y_load_x}, new_then_old, false},
    {"LB+dmbs", {load_x_dmb_y, load_y_dmb_x}, both_new, false},
    {"LB+acq-rels", {acquire_x_release_y, acquire_y_release_x}, both_new, false},
    {"R", {x_then_y, y2_then_load_x}, lost_r, true},
    {"R+dmbs", {x_dmb_y, y2_dmb_load_x}, lost_r, false},
    {"S+dmb+acq", {x2_dmb_y, acquire_y_x}, lost_s, false},
    {"S+rel+acq", {x2_release_y, acquire_y_x}, lost_s, false},
    {"2+2W+dmbs", {x_dmb_y2, y_dmb_x2}, both_first, false},
    {"2+2W+dmb.sts", {x_dmbst_y2, y_dmbst_x2}, both_first, false},
    {"2+2W+rels", {x_release_y2, y_release_x2}, both_first, false},
    {"CoRR", {only_x, load_x_twice}, new_then_old, false},
    {"IRIW+acqs", {only_x, only_y, acquire_x_acquire_y, acquire_y_acquire_x}, two_orders, false},
    {"IRIW+dmbs", {only_x, only_y, load_x_dmb_load_y, load_y_dmb_load_x}, two_orders, false},
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
            if (looks > PATIENCE) __asm__ volatile("yield" : : : "memory");
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
    while (!LOAD(&started)) __asm__ volatile("yield" : : : "memory");
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
